# JSON keys that were called otherwise, for script/same and script/bench --against: a line each, from the new name to the old one.
# s/"new_name":/"old_name":/g
# Keys that are new: taken away.
s/"confidence_kind": ?"[a-z_]*", ?//g
s/, ?"answer_from": ?("[a-z_]*"|null)//g
s/, ?"(wording|examples|keys|kind|judge)": ?""//g
s/, ?"(self_certainty|lowest_window)": ?[-0-9.e+]+//g
s/"vote_weight": ?"[a-z-]*", ?//g
# Tables of eval that are new: taken away.
/^chosen by /,/^Right, per cent, with the largest budget/d
/^answers from /,/^Lanes that are right, of those/d
# What a confidence is, in text for a person: taken away.
s/(\(confidence [0-9.]+), (share of votes|mean probability|the verifier's score)\)/\1)/g
s/"back_end": ?"[a-z]*", ?//g
