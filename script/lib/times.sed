# What script/same leaves out of an output before it compares: times, in JSON and in the table that eval prints.
s/("[a-z_]*(seconds|per_second|step_ratio)[a-z_]*": ?)[-+.0-9e]+/\1TIME/g
/^cost /,/^x: times/d
