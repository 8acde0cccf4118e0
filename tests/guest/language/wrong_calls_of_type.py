"""``type()`` with arguments that make neither a type known nor a class."""

f = type
for args in ((), (1, 2), (1, 2, 3, 4), (1, (), {}), ("A", [], {}), ("A", (), 3)):
    try:
        print(f(*args))
    except TypeError as error:
        print(error)
for call in (lambda: type(), lambda: type(1, 2), lambda: type("A", bases=(), dict={})):
    try:
        print(call())
    except TypeError as error:
        print(error)
print(type(1), f("text"))
