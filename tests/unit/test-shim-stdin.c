/* What is typed into a terminal that has no room for more. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/shim/shim-stdin.h"
#include "daemon/shim/shim-terminal.h"
#include "tests/unit/unit.h"

static const TerminalSize size = {.columns = 80, .rows = 24};
static ShimStdin in;
static int own, command;

static void set_up(void) {
    ck_assert_int_eq(shim_terminal_open(&size, &own, &command), 0);
    ck_assert_int_eq(shim_stdin_open_terminal(&in, NULL, 0, dup(own), shim_terminal_end_of_input),
                     0);
}

static void tear_down(void) {
    shim_stdin_close(&in);
    close_fd(own);
    close_fd(command);
}

/* The kernel takes a while to carry them to the other side; with what is echoed there the terminal
 * is full to its last byte. Gives how many there are. */
static size_t fill_with_lines(void) {
    size_t filled = 0;

    for (int tries = 0; tries < 20; tries++) {
        struct pollfd none = {.fd = -1};
        while (write(own, "\n", 1) == 1) {
            filled++;
            tries = 0;
        }
        ck_assert_int_eq(errno, EAGAIN);
        (void)poll(&none, 1, 5);
    }
    return filled;
}

/* The echo of what it reads is read too: it would be in the way. */
static size_t read_some(void) {
    char data[4096];
    ssize_t n = read(command, data, sizeof(data));

    ck_assert_int_ge(n, 0);
    while (read(own, data, sizeof(data)) > 0)
        ;
    return (size_t)n;
}

/* It is as much a part of what is typed as all before it. */
START_TEST(test_end_without_room) {
    size_t filled = fill_with_lines();

    shim_stdin_end(&in);
    shim_stdin_write(&in);
    ck_assert_int_ge(in.fd, 0);
    ck_assert_int_eq(shim_stdin_events(&in), POLLOUT);
    for (size_t n; (n = read_some()) > 0; filled -= n)
        shim_stdin_write(&in);
    ck_assert_uint_eq(filled, 0);
    ck_assert_int_lt(in.fd, 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("shim-stdin");
    TCase *t = tcase_create("shim-stdin");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, test_end_without_room);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
