#include "daemon/shim/shim-socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/macro.h"

#define BACKLOG 16

int shim_socket_address(const char *path, struct sockaddr_un *ret) {
    size_t len = strlen(path);

    if (path[0] != '/')
        return -EINVAL;
    if (len >= sizeof(ret->sun_path))
        return -ENAMETOOLONG;
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->sun_path, path, len);
    return 0;
}

int shim_socket_listen(const char *path, int *ret_fd) {
    struct sockaddr_un address;

    int r = shim_socket_address(path, &address);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* The mode of an unbound socket becomes that of its file: there is no moment at which others
     * could connect. */
    if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, BACKLOG) < 0)
        return -errno;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static bool is_ours(int fd) {
    struct ucred creds;
    socklen_t size = sizeof(creds);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &creds, &size) >= 0 && creds.uid == getuid();
}

int shim_socket_accept(int listen_fd) {
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return -errno;
        if (is_ours(fd))
            return fd;
        close(fd);
    }
}
