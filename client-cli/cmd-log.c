#include "client-cli/commands.h"
#include "client-cli/follow.h"

/* longrun log */

const Option log_options[] = {
    {OPT_FOLLOW, 'f', "follow", NULL, "go on until the task ends"},
    OPTIONS_END,
};

int cmd_log(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    TaskEnd end;
    int r;

    if (!ids)
        return EXIT_USAGE;
    r = client_connect(&bus);
    if (r < 0)
        return r;
    if (invocation_has(inv, OPT_FOLLOW))
        return follow_log(bus, ids[0], &end);
    return follow_log_once(bus, ids[0]);
}
