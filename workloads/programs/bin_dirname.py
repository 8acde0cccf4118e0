"""``dirname NAME...``: paths without their last part."""

import sys

words = sys.argv[1:]
if not words or (words[0].startswith("-") and len(words[0]) > 1):
    what = f"invalid option -- '{words[0][1:]}'" if words else "missing operand"
    sys.stderr.write(f"dirname: {what}\nTry 'dirname --help' for more information.\n")
    sys.exit(1)
for word in words:
    rest = word.rstrip("/")
    if not rest:
        print("/" if word else ".")
        continue
    folder = rest[: len(rest) - len(rest.split("/")[-1])]
    print(folder.rstrip("/") or ("/" if folder else "."))
