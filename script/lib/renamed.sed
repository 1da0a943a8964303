# JSON keys that were called otherwise, for script/same and script/bench --against: a line each, from the new name to the old one.
# s/"new_name":/"old_name":/g
# Keys that are new: taken away.
s/"confidence_kind": ?"[a-z_]*", ?//g
# What a confidence is, in text for a person: taken away.
s/(\(confidence [0-9.]+), (share of votes|mean probability|the verifier's score)\)/\1)/g
s/"back_end": ?"[a-z]*", ?//g
