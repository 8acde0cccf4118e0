"""What one process stores into an attached segment all others see, at whatever address."""

import os

from workloads import guest

KEY = 0x511A

shm = guest.shmget(KEY, 10000, guest.IPC_CREAT | 0o600)
here = guest.shmat(shm)
print(len(here), here[0], here[9999], here[0:4])
pid = os.fork()
if pid == 0:
    here[0] = 65
    again = guest.shmat(guest.shmget(KEY, 0, 0))
    again[5000:5003] = b"xyz"
    print("child", again[0], here[5000:5003])
    guest.shmdt(again)
    os._exit(0)
os.waitpid(pid, 0)
print("parent", here[0], here[5000:5003], here[-1])
try:
    print(here[10000])
except IndexError as error:
    print("IndexError", error)
twice = guest.shmat(shm)
twice[9999] = 7
print(here[9999], guest.shmctl(shm, guest.IPC_STAT))
guest.shmdt(twice)
guest.shmdt(here)
# the content stays without anybody
print(guest.shmctl(shm, guest.IPC_STAT))
back = guest.shmat(shm)
print(back[0], back[5000:5003])
print(guest.shmctl(shm, guest.IPC_RMID))
