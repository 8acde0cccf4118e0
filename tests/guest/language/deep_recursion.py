"""A recursion without end is an error that can be caught; one within limits works."""

depth = [0]


def down(n):
    depth[0] = n
    return down(n + 1) + 1


def sum_to(n):
    return n + sum_to(n - 1) if n else 0


print(sum_to(500))
try:
    down(0)
except RuntimeError as error:
    print(error)
print(900 < depth[0] < 1000)
