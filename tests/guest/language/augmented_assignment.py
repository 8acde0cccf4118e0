"""Augmented assignment to a list extends it in place, whatever the other side is."""

a = [1]
b = a
a += (2, 3)
a += "xy"
a += {7: 8}
a += b"z"
a += range(2)
print(a, b is a, a == b)
for value in (0, None, 1.5):
    try:
        a += value
    except TypeError as error:
        print(error)
a *= 2
print(len(b))
try:
    a = a + (1,)
except TypeError as error:
    print(error)
c = bytearray(b"ab")
d = c
c += b"cd"
c *= 2
print(d)
try:
    c += "x"
except TypeError as error:
    print(error)
e = {1, 2}
f = e
e |= {3}
e -= {1}
e &= {2, 3, 9}
e ^= {9}
print(sorted(f))
g = {"a": 1}
h = g
g |= {"b": 2}
print(h)
t = (1,)
try:
    t += [2]
except TypeError as error:
    print(error)
t += (2,)
print(t)
s = "a"
try:
    s += 1
except TypeError as error:
    print(error)
x = [[1], [2]]
x[0] += [5]
print(x)
i = 5
i //= 2
i **= 3
i <<= 2
i ^= 3
print(i)
