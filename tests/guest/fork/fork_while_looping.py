"""fork inside for, while, try and a function call: the child goes on exactly there."""

import os


def fork_and_wait(code):
    pid = os.fork()
    if pid == 0:
        return -code
    _, status = os.waitpid(pid, 0)
    return os.WEXITSTATUS(status)


found = []
for number in range(1, 4):
    text = f"round {number}"
    try:
        result = fork_and_wait(number)
        if result < 0:
            os._exit(-result * 10 + len(text))
    finally:
        found.append(number)
    found.append(result)
print(found)
number = 0
while True:
    number += 1
    if fork_and_wait(number) < 0:
        break
    if number == 3:
        print("parent leaves", number)
        os._exit(0)
# Only the children come here, one after the other.
print("child leaves", number, found)
os._exit(number)
