# JSON keys that were called otherwise, for script/same and script/bench --against: a line each, from the new name to the old one.
# s/"new_name":/"old_name":/g
