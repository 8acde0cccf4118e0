/* Lifecycles of the host: fork, exec, exit and wait in a loop. Prints the ns that argv[1] of them took. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 0;
    char *image[] = {"/bin/true", NULL};
    char *environment[] = {NULL};
    struct timespec begin, end;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long i = 0; i < count; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            execve(image[0], image, environment);
            _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + (end.tv_nsec - begin.tv_nsec));
    return 0;
}
