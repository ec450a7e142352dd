#include "client-cli/interrupt.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define EXIT_INTERRUPTED 130

static char text[512];
static size_t text_size;

static void on_interrupt(int number) {
    /* Nothing but what signal-safety(7) allows. */
    ssize_t n = write(STDERR_FILENO, text, text_size);
    (void)n;
    _exit(EXIT_INTERRUPTED);
}

void interrupt_say(const char *format, ...) {
    struct sigaction action = {.sa_handler = on_interrupt}, before;
    sigset_t set, old;
    va_list args;

    /* No signal may find the text half written. */
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, &old);
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_size = n < 0 ? 0 : MIN((size_t)n, sizeof(text) - 1);
    sigaction(SIGINT, NULL, &before);
    if (before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
}
