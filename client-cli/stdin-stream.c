#include "client-cli/stdin-stream.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client-cli/interrupt.h"
#include "client-cli/output.h"
#include "client-cli/stdin-writer.h"

/* ---- in the process ---- */

/* What keys do says the one who looks on. That the command reads no more is its own affair, as when
 * it is at the end of a pipe. */
static _Noreturn void run(const StdinStream *s, pid_t parent) {
    StdinWriter w = {.may_close = true};
    _cleanup_bus_ sd_bus *bus = NULL;

    interrupt_say_nothing();
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
    int r = client_connect(&bus);
    if (r >= 0)
        r = stdin_writer_begin(&w, bus, s->id);
    if (r >= 0 && !s->closes)
        (void)stdin_writer_copy(&w, STDIN_FILENO); /* has said what went wrong */
    if (r >= 0)
        r = stdin_writer_close_all(&w);
    _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- around it ---- */

static int wait_for_end(StdinStream *s) {
    int status = 0;

    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
        ;
    s->pid = 0;
    s->source = sd_event_source_unref(s->source);
    s->pidfd = close_fd(s->pidfd);
    return status;
}

static int begin(StdinStream *s);

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    StdinStream *s = userdata;
    int status = wait_for_end(s);

    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
        return 0;
    if (WIFSIGNALED(status))
        print_error("the process that read stdin was ended: %s", strsignal(WTERMSIG(status)));
    if (!s->closes) {
        s->closes = true;
        if (begin(s) >= 0)
            return 0;
    }
    print_error("the input of task %" PRIu64 " stays open; \"longrun write --close %" PRIu64
                " /dev/null\" ends it",
                s->id, s->id);
    return 0;
}

static int watch(StdinStream *s) {
    s->pidfd = pidfd_open(s->pid, 0);
    if (s->pidfd < 0)
        return -errno;
    return sd_event_add_io(s->event, &s->source, s->pidfd, EPOLLIN, on_ended, s);
}

static int fail(int error) {
    print_error("cannot write to the command: %s", strerror(error));
    return -error;
}

static int begin(StdinStream *s) {
    pid_t parent = getpid();

    s->pidfd = -EBADF;
    s->pid = fork();
    if (s->pid == 0)
        run(s, parent);
    if (s->pid < 0) {
        int error = errno;
        s->pid = 0;
        return fail(error);
    }
    int r = watch(s);
    return r < 0 ? fail(-r) : 0;
}

int stdin_stream_begin(StdinStream *s, uint64_t id) {
    s->id = id;
    int r = sd_event_default(&s->event);
    return r < 0 ? fail(-r) : begin(s);
}

void stdin_stream_end(StdinStream *s) {
    if (s->pid > 0) {
        kill(s->pid, SIGTERM);
        (void)wait_for_end(s);
    }
    sd_event_unref(s->event);
    *s = (StdinStream){};
}
