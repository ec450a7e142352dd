#pragma once

#include <sys/un.h>

/* Sockets that keeper and shims listen on. */

/* -EINVAL for a path that is not absolute, -ENAMETOOLONG. */
int shim_socket_address(const char *path, struct sockaddr_un *ret);

/* Binds a SOCK_SEQPACKET socket for our own user alone and listens on it; non-blocking and
 * close-on-exec. 0 or -errno. */
int shim_socket_listen(const char *path, int *ret_fd);

/* Gives the next connection, non-blocking and close-on-exec; those of other users are closed.
 * -EAGAIN when there is none. */
int shim_socket_accept(int listen_fd);
