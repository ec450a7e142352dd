#include "daemon/shim/shim-terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "common/cleanup.h"

/* By a path in /dev/pts alone where the kernel has no other way: the one that is mounted there need
 * not be that of our side. */
static int open_command_side(int own_fd) {
    int locked = 0, number;
    char path[32];

    if (ioctl(own_fd, TIOCSPTLCK, &locked) < 0)
        return -errno;
    int fd = ioctl(own_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno != ENOTTY && errno != EINVAL)
        return -errno;
    if (ioctl(own_fd, TIOCGPTN, &number) < 0)
        return -errno;
    (void)snprintf(path, sizeof(path), "/dev/pts/%d", number);
    fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* As terminals have it, echo too, but for one thing: a line feed does not become "\r\n". The log is
 * a text, which people grep, and the terminal on which it is shown adds the carriage return again.
 */
static int set_modes(int fd, const TerminalSize *size) {
    struct winsize window = {.ws_col = size->columns, .ws_row = size->rows};
    struct termios modes;

    if (tcgetattr(fd, &modes) < 0)
        return -errno;
    modes.c_oflag &= ~(tcflag_t)ONLCR;
    modes.c_iflag |= IUTF8;
    if (tcsetattr(fd, TCSANOW, &modes) < 0 || ioctl(fd, TIOCSWINSZ, &window) < 0)
        return -errno;
    return 0;
}

int shim_terminal_open(const TerminalSize *size, int *ret_own, int *ret_command) {
    _cleanup_close_ int own = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    if (own < 0)
        return -errno;
    _cleanup_close_ int command = open_command_side(own);
    if (command < 0)
        return command;
    int r = set_modes(command, size);
    if (r < 0)
        return r;
    *ret_own = TAKE_FD(own);
    *ret_command = TAKE_FD(command);
    return 0;
}

int shim_terminal_take(int command_fd) {
    return ioctl(command_fd, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

char shim_terminal_end_of_input(int own_fd) {
    struct termios modes;

    if (tcgetattr(own_fd, &modes) < 0 || !(modes.c_lflag & ICANON))
        return '\0';
    return (char)modes.c_cc[VEOF]; /* 0 (_POSIX_VDISABLE): switched off */
}
