// The shell: reads a line, runs it. What it cannot do itself is a program in bin or a command of the kernel.
#include "lib.h"

static char directory[64] = "";

static void ls(const char *arguments) {
    char path[128];
    if (!word(&arguments, path, sizeof path)) memcpy(path, "/", 2);
    struct directory_entry entry;
    long more;
    for (long i = 0; (more = syscall(SYS_READDIR, (long)path, i, (long)&entry)) > 0; i++)
        printf("%9u %s%s\n", entry.size, entry.name, entry.type == 1 ? "/" : "");
    if (more < 0) printf("ls: there is no %s\n", path);
}

static void cat(const char *arguments) {
    char path[128], buffer[512];
    while (word(&arguments, path, sizeof path)) {
        int fd = open(path);
        long count = -1;
        if (fd >= 0) {
            while ((count = read(fd, buffer, sizeof buffer)) > 0) write(1, buffer, (size_t)count);
            close(fd);
        }
        if (count < 0) printf("cat: %s cannot be read\n", path);
    }
}

static void help(void) {
    printf("In the shell: ls [PATH], cat FILE..., echo TEXT, time COMMAND, kill PID, nice PRIORITY COMMAND, exit\n"
           "Programs in /bin, with & behind them in the background: ls /bin\n"
           "Commands of the kernel:\n");
    kernel("help");
}

/** Runs a program of that name, if there is one; true when there was. */
static bool run_program(const char *name, const char *line, bool background, int priority) {
    char path[128], *end = path;
    const char *parts[] = {directory, "/bin/", name};
    for (int i = 0; i < 3; i++)
        for (const char *c = parts[i]; *c && end < path + sizeof path - 1; c++) *end++ = *c;
    *end = 0;
    const char *file = name[0] == '/' ? name : path;
    int fd = open(file);
    if (fd < 0) return false;
    close(fd);
    int pid = fork();
    if (pid == 0) {
        if (priority >= 0) syscall(SYS_PRIORITY, 0, priority, 0);
        exec(file, line);
        exit(126);
    }
    if (pid < 0) {
        printf("shell: no memory for another process\n");
        return true;
    }
    if (background) {
        printf("[%d]\n", pid);
        return true;
    }
    int code = 0;
    syscall(SYS_FOREGROUND, pid, 0, 0);
    wait(pid, &code);
    syscall(SYS_FOREGROUND, 0, 0, 0);
    if (code) printf("%s: ended with %d\n", name, code);
    return true;
}

static void run(const char *line, int priority, bool background) {
    char name[64], copy[256];
    size_t length = strlen(line);
    if (length >= sizeof copy) length = sizeof copy - 1;
    memcpy(copy, line, length);
    copy[length] = 0;
    while (length > 0 && copy[length - 1] == ' ') copy[--length] = 0;
    if (length > 0 && copy[length - 1] == '&') {
        background = true;
        copy[--length] = 0;
    }
    line = copy;
    const char *rest = line;
    if (!word(&rest, name, sizeof name)) return;
    while (*rest == ' ') rest++;
    if (!strcmp(name, "ls")) ls(rest);
    else if (!strcmp(name, "cat")) cat(rest);
    else if (!strcmp(name, "echo")) printf("%s\n", rest);
    else if (!strcmp(name, "help")) help();
    else if (!strcmp(name, "exit")) exit(0);
    else if (!strcmp(name, "kill")) {
        if (syscall(SYS_KILL, (long)number(&rest, 0), 0, 0) < 0) printf("kill: no such process\n");
    } else if (!strcmp(name, "nice")) {
        int value = (int)number(&rest, 8);
        run(rest, value, background);
    } else if (!strcmp(name, "time")) {
        uint64_t start = time_ns();
        run(rest, priority, background);
        printf("%lu ms\n", (time_ns() - start) / 1000000);
    } else if (!run_program(name, line, background, priority) && kernel(line) < 0)
        printf("shell: no command or program '%s' (try help)\n", name);
}

int main(const char *arguments) {
    char line[256];
    if (word(&arguments, line, sizeof line) && word(&arguments, directory, sizeof directory) && !strcmp(directory, "/")) directory[0] = 0;
    printf("Welcome to Seedling. `help` lists what there is; /README says more.\n");
    for (;;) {
        printf("seedling> ");
        long length = read(0, line, sizeof line - 1);
        if (length < 0) return 1;
        if (length == 0) {
            printf("\n");
            continue;
        }
        line[length] = 0;
        if (line[length - 1] == '\n') line[length - 1] = 0;
        while (wait(-2, NULL) > 0) {}
        run(line, -1, false);
    }
}
