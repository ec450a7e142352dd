#include "client-cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define EXIT_INTERRUPTED 130

typedef struct KeyText {
    char data[512];
    size_t size;
} KeyText;

static KeyText interrupt_text, suspend_text;

/* ---- handlers: nothing but what signal-safety(7) allows ---- */

static void print_text(const KeyText *text) {
    ssize_t n = write(STDERR_FILENO, text->data, text->size);
    (void)n;
}

static void on_interrupt(int number) {
    print_text(&interrupt_text);
    _exit(EXIT_INTERRUPTED);
}

/* The shell is to see that it was the key: so the signal comes once more, with its own effect, when
 * it is let in. It is on the way until the handler has ended, and is then let in by hand. */
static void on_suspend(int number) {
    const struct sigaction stop = {.sa_handler = SIG_DFL};
    int saved_errno = errno;
    struct sigaction ours;
    sigset_t set;

    print_text(&suspend_text);
    sigaction(SIGTSTP, &stop, &ours);
    raise(SIGTSTP);
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    /* Here it stands still, until somebody says fg. */
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGTSTP, &ours, NULL);
    errno = saved_errno;
}

/* ---- texts ---- */

static void _printf_(4, 0)
    say(int number, void (*handler)(int), KeyText *text, const char *format, va_list args) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;
    sigset_t set, old;

    /* No signal may find the text half written. */
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, &old);
    int n = vsnprintf(text->data, sizeof(text->data), format, args);
    text->size = n < 0 ? 0 : MIN((size_t)n, sizeof(text->data) - 1);
    sigaction(number, NULL, &before);
    if (before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

void interrupt_say(const char *format, ...) {
    va_list args;

    va_start(args, format);
    say(SIGINT, on_interrupt, &interrupt_text, format, args);
    va_end(args);
}

void suspend_say(const char *format, ...) {
    va_list args;

    va_start(args, format);
    say(SIGTSTP, on_suspend, &suspend_text, format, args);
    va_end(args);
}

static void leave(int number, void (*handler)(int)) {
    struct sigaction action;

    sigaction(number, NULL, &action);
    if (action.sa_handler == handler)
        signal(number, SIG_DFL);
}

void interrupt_say_nothing(void) {
    leave(SIGINT, on_interrupt);
    leave(SIGTSTP, on_suspend);
}
