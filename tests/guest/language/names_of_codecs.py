"""Codecs under all their names, and what is none."""

for name in (
    "utf-8",
    "UTF-8",
    "utf8",
    "utf_8",
    "U8",
    "UTF",
    "latin-1",
    "latin_1",
    "L1",
    "ISO-8859-1",
    "iso8859_1",
    "us-ascii",
    "ASCII",
    "646",
):
    print(name, "é".encode(name, "replace"), b"a\xe9".decode(name, "replace"))
for name in ("utf-9", "", "no such", "rot 14"):
    try:
        "a".encode(name)
    except LookupError as error:
        print(error)
    try:
        open("/dev/null", encoding=name)
    except LookupError as error:
        print(error)
print(
    "é€".encode("ascii", "xmlcharrefreplace"),
    b"\xff".decode("utf_8", "surrogateescape").encode("utf_8", "surrogateescape"),
)
try:
    "é".encode("ascii", "no such handler")
except LookupError as error:
    print(error)
print("e".encode("ascii", "no such handler"))
try:
    "é".encode("latin1", 3)
except TypeError as error:
    print(error)
with open("/dev/null", "w", encoding="UTF_8") as file:
    print(file.encoding)
