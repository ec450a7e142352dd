/* longrun-shim: the keeper of the commands' supervisors, and each of them. See
 * common/shim-protocol.h. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/parse.h"
#include "daemon/shim/keeper.h"

/* --state comes from the keeper itself alone, when it executes itself anew. */
static int parse_arguments(int argc, char **argv, KeeperOptions *ret) {
    KeeperOptions o = {.state_fd = -EBADF};
    uint32_t fd;

    for (int i = 1; i < argc; i++) {
        if (streq(argv[i], "--keeper") && i + 1 < argc)
            o.dir = argv[++i];
        else if (streq(argv[i], "--cgroup"))
            o.service = true;
        else if (streq(argv[i], "--state") && i + 1 < argc && parse_u32(argv[++i], &fd) >= 0)
            o.state_fd = (int)fd;
        else
            return -EINVAL;
    }
    if (!o.dir || o.dir[0] != '/')
        return -EINVAL;
    *ret = o;
    return 0;
}

int main(int argc, char **argv) {
    KeeperOptions options;

    if (parse_arguments(argc, argv, &options) < 0) {
        fprintf(stderr, "usage: longrun-shim --keeper DIR [--cgroup]\n"
                        "DIR is an absolute path. longrund or its systemd unit starts this.\n");
        return EX_USAGE;
    }
    return keeper_main(&options);
}
