"""What a child does to its environment the parent does not see, and the other way round."""

import os

os.environ["KEPT"] = "from the start"
os.environ["CHANGED"] = "before"
tell, told = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    os.environ["CHANGED"] = "by the child"
    os.environ["NEW"] = "of the child"
    os.write(tell[1], b"x")
    os.read(told[0], 1)
    print("child", os.environ["KEPT"], os.environ["CHANGED"], os.environ["NEW"])
    print(os.getenv("LATER"), os.environ.get("LATER", "default"))
    os._exit(0)
os.read(tell[0], 1)
os.environ["LATER"] = "of the parent"
print("parent", os.environ["KEPT"], os.environ["CHANGED"], os.getenv("NEW"))
os.write(told[1], b"x")
print(os.waitpid(pid, 0)[1])
