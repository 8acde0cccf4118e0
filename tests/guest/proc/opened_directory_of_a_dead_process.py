"""What an open directory of /proc lists once its process is gone."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


pid = os.fork()
if pid == 0:
    os._exit(0)
while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT) is None:
    pass
print("zombie threads", os.listdir(f"/proc/{pid}/task") == [str(pid)])
print("zombie files", os.listdir(f"/proc/{pid}/fd"))
home = os.getcwd()
os.chdir(f"/proc/{pid}")
print("cwd", os.getcwd() == f"/proc/{pid}")
print("name", len(read_file("comm")) > 1)
os.waitpid(pid, 0)
for name in ["comm", "stat", "task", "nothing"]:
    try:
        os.open(name, os.O_RDONLY)
    except OSError as error:
        print(name, error.errno)
os.chdir(home)
