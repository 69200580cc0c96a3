"""`roompulse top`: boards, alerts and rooms of a run in a terminal that a person moves about in.

What is known of a run, and where it comes from, is told by the files that the console shares
(`roompulse/known.py`, `following.py`, `run_folder.py`); `state` is whether it can be believed now.
`charts`, `head`, `board_lines`, `alert_lines` and `pages` turn figures into text; `listing` is
a list to move about in, `windows` what opens over the lists, `app` puts them together. Textual is
used by these three alone.
"""
