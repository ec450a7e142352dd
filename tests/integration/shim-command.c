/* The commands that the tests of longrun-shim run where a shell cannot do what is needed:
 * test-shim --command NAME ARG. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "tests/integration/shim-rig.h"

static int command_fds(const char *arg) {
    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf("%d ", fd);
    return 0;
}

static int command_pattern(const char *arg) {
    static unsigned char buffer[64 * KIB];
    uint64_t size = strtoull(arg, NULL, 10);

    for (uint64_t offset = 0; offset < size;) {
        size_t n = MIN(size - offset, sizeof(buffer));
        for (size_t i = 0; i < n; i++)
            buffer[i] = rig_pattern(offset + i);
        if (fd_write_full(STDOUT_FILENO, buffer, n) < 0)
            return 1;
        offset += n;
    }
    return 0;
}

static int command_two_streams(const char *arg) {
    for (int i = atoi(arg); i > 0; i--)
        if (fd_write_full(STDOUT_FILENO, "out\n", 4) < 0 ||
            fd_write_full(STDERR_FILENO, "error\n", 6) < 0)
            return 1;
    return 0;
}

static volatile sig_atomic_t n_signals;

static void on_signal(int sig) {
    n_signals++;
}

/* Gives how often SIGTERM came, and says so when the first has come. It is blocked on entry. */
static int count_terms(void) {
    struct timespec left = {.tv_nsec = 200000000};
    sigset_t none;

    sigemptyset(&none);
    while (n_signals == 0)
        sigsuspend(&none);
    (void)fd_write_full(STDOUT_FILENO, "got it\n", 7);
    /* Time in which a second one would come. */
    sigprocmask(SIG_SETMASK, &none, NULL);
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
    return n_signals;
}

/* Says so of itself and of a child in the same process group. */
static int command_count_term(const char *arg) {
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t term;
    int status;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_SETMASK, &term, NULL);
    sigaction(SIGTERM, &action, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(count_terms());
    (void)fd_write_full(STDOUT_FILENO, "ready\n", 6);
    int own = count_terms();
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    printf("%d %d\n", own, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}

static int notify_socket(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!path || strlen(path) >= sizeof(address.sun_path))
        return -EINVAL;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return fd;
}

/* Sends each part of the argument between "|" as a datagram. */
static int command_notify(const char *arg) {
    int fd = notify_socket();

    for (const char *end;; arg = end + 1) {
        end = strchrnul(arg, '|');
        if (send(fd, arg, (size_t)(end - arg), MSG_NOSIGNAL) < 0)
            return 1;
        if (!*end)
            return 0;
    }
}

static int command_notify_flood(const char *arg) {
    int fd = notify_socket();
    char message[64];

    for (int i = 1; i <= atoi(arg); i++) {
        int n = snprintf(message, sizeof(message), "X_LONGRUN_DONE=%d", i);
        if (send(fd, message, (size_t)n, MSG_NOSIGNAL) < 0)
            return 1;
    }
    return 0;
}

/* Sends so many messages, "1" and so on, each a datagram. */
static int command_messages(const char *arg) {
    int fd = notify_socket();
    char message[64];

    for (int i = 1; i <= atoi(arg); i++) {
        int n = snprintf(message, sizeof(message), "X_LONGRUN_MESSAGE=%d", i);
        if (send(fd, message, (size_t)n, MSG_NOSIGNAL) < 0)
            return 1;
    }
    return 0;
}

/* One message of so many bytes. */
static int command_long_message(const char *arg) {
    char message[FIELDS_MAX] = "X_LONGRUN_MESSAGE=";
    size_t head = strlen(message), size = strtoul(arg, NULL, 10);

    memset(message + head, 'x', size);
    return send(notify_socket(), message, head + size, MSG_NOSIGNAL) < 0;
}

/* Datagrams that count for nothing: too long, with a NUL inside, and, when we are root, from
 * another user. */
static int command_notify_bad(const char *arg) {
    int fd = notify_socket();
    char big[9000];

    memset(big, 'x', sizeof(big));
    memcpy(big, "STATUS=", 7);
    if (send(fd, big, sizeof(big), 0) < 0 || send(fd, "STATUS=a\0b", 10, 0) < 0 ||
        send(fd, "", 0, 0) < 0)
        return 1;
    if (geteuid() == 0)
        if (setresuid(65534, 65534, 65534) < 0 || send(fd, "STATUS=foreign", 14, 0) < 0)
            return 1;
    return 0;
}

/* Hands descriptors over and waits until the receiver has closed them, as sd_notify_barrier(3)
 * does. */
static int command_notify_fds(const char *arg) {
    enum {
        N_FDS = 100
    };
    int fds[2], sent[N_FDS], fd = notify_socket();
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(sent))];
    } control = {};
    char text[] = "STATUS=with descriptors", byte;
    struct iovec iov = {.iov_base = text, .iov_len = sizeof(text) - 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};

    if (pipe2(fds, O_CLOEXEC) < 0)
        return 1;
    for (size_t i = 0; i < N_FDS; i++)
        sent[i] = fds[1];
    control.header = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(sent))};
    memcpy(CMSG_DATA(&control.header), sent, sizeof(sent));
    if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
        return 1;
    close(fds[1]);
    return read(fds[0], &byte, 1) == 0 ? 0 : 1;
}

/* Tells about the socket: mode and what is in the environment. */
static int command_notify_stat(const char *arg) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct stat st;

    if (!path) {
        printf("none");
    } else if (stat(path, &st) < 0) {
        printf("%s: %m", path);
    } else {
        printf("%s %o", path, st.st_mode);
    }
    return 0;
}

/* Gives stdout to somebody outside of the task, who listens at the path, and ends. */
static int command_give_stdout(const char *arg) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN(sizeof(int))}};
    char byte = 0;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), out = STDOUT_FILENO;

    memcpy(CMSG_DATA(&control.header), &out, sizeof(int));
    strcpy(address.sun_path, arg);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || sendmsg(fd, &msg, 0) < 0)
        return 1;
    /* Until the other side has it. */
    return read(fd, &byte, 1) == 1 ? 0 : 1;
}

/* A process that is replaced by its child again and again, faster than anyone can look; not for
 * ever, in case that nobody manages to stop it. */
static int command_respawn(const char *arg) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    uint64_t end = clock_usec(CLOCK_MONOTONIC) + 5 * USEC_PER_SEC;

    sigaction(SIGTERM, &ignore, NULL);
    (void)fd_write_full(STDOUT_FILENO, "ready\n", 6);
    while (clock_usec(CLOCK_MONOTONIC) < end)
        if (fork() > 0)
            _exit(0);
    return 1;
}

/* Something to report every 20 ms, and at the end a byte to whoever reads the fifo. */
static int command_chatter(const char *arg) {
    const struct timespec pause = {.tv_nsec = 20000000};
    int notify = notify_socket();
    char message[64];

    for (int i = 1; i <= 40; i++) {
        int n = snprintf(message, sizeof(message), "X_LONGRUN_DONE=%d", i);
        if (send(notify, message, (size_t)n, MSG_NOSIGNAL) < 0 ||
            fd_write_full(STDOUT_FILENO, "x", 1) < 0)
            return 1;
        nanosleep(&pause, NULL);
    }
    int fd = open(arg, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && fd_write_full(fd, "\n", 1) == 0 ? 0 : 1;
}

/* Takes as many MiB as asked for and shares them with three children; says so, and waits for its
 * end. */
static int command_eat(const char *arg) {
    size_t size = (size_t)atoi(arg) * MIB;
    char *memory = malloc(size);

    if (!memory)
        return 1;
    memset(memory, 1, size);
    for (int i = 0; i < 3; i++)
        if (fork() == 0)
            break;
    (void)fd_write_full(STDOUT_FILENO, "full\n", 5);
    pause();
    return memory[0];
}

/* As many processes as asked for, which say so and wait for their end. */
static int command_crowd(const char *arg) {
    for (int i = 1; i < atoi(arg); i++)
        if (fork() == 0)
            break;
    (void)fd_write_full(STDOUT_FILENO, "x", 1);
    pause();
    return 0;
}

static int wait_for_fifo(const char *name) {
    char byte;
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    return fd >= 0 && read(fd, &byte, 1) >= 0 ? close(fd) : -1;
}

/* Hangs up its own terminal, when somebody writes to the fifo "up", and lives on. */
static int command_hang_up(const char *arg) {
    signal(SIGHUP, SIG_IGN);
    if (fd_write_full(STDOUT_FILENO, "before\n", 7) < 0 || wait_for_fifo("up") < 0 || vhangup() < 0)
        return 1;
    if (write(STDOUT_FILENO, "after\n", 6) >= 0 || errno != EIO)
        return 2;
    return wait_for_fifo("done") < 0 || wait_for_fifo("go") < 0;
}

int shim_command_main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*function)(const char *arg);
    } commands[] = {
        {"fds", command_fds},
        {"pattern", command_pattern},
        {"two-streams", command_two_streams},
        {"count-term", command_count_term},
        {"notify", command_notify},
        {"notify-flood", command_notify_flood},
        {"messages", command_messages},
        {"long-message", command_long_message},
        {"notify-bad", command_notify_bad},
        {"notify-fds", command_notify_fds},
        {"notify-stat", command_notify_stat},
        {"give-stdout", command_give_stdout},
        {"respawn", command_respawn},
        {"chatter", command_chatter},
        {"eat", command_eat},
        {"crowd", command_crowd},
        {"hang-up", command_hang_up},
    };

    for (size_t i = 0; argc >= 3 && i < ELEMENTSOF(commands); i++)
        if (streq(argv[2], commands[i].name))
            return commands[i].function(argc > 3 ? argv[3] : "");
    return 126;
}
