import os

prnit("a")
print(os.getpdi())
print("a", sepp="b")
os.open("x", os.O_RDONLY, 0, dir_fd=3)
ValueError(a=1)
"a b".splti()
"a b".split(foo=1)
sum([1], first=2)
try:
    pass
except OSErorr:
    pass
globals()

# expect: 3:1: the name 'prnit' is not defined; did you mean print?
# expect: 4:7: 'os.getpdi' is not in the guest language; did you mean getpid?
# expect: 5:17: print() takes no argument 'sepp'; it takes end, file, flush, sep
# expect: 6:37: os.open() takes no argument 'dir_fd' here in the guest language; it takes path, flags, mode
# expect: 8:1: the method 'splti' is not in the guest language; did you mean split?
# expect: 9:17: split() takes no argument 'foo' in the guest language; give the values by position
# expect: 13:8: the name 'OSErorr' is not defined; did you mean OSError?
# expect: 15:1: the builtin 'globals' is not in the guest language; its builtin functions are abs, all, any, ascii, bin, bool, bytearray, bytes, callable, chr, dict, divmod, enumerate, exit, filter, float, hex, input, int, isinstance, iter, len, list, map, max, min, next, oct, open, ord, pow, print, quit, range, repr, reversed, round, set, sorted, str, sum, tuple, type, zip
