#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/filter.h"
#include "client-cli/output.h"

/* longrun prune */

const Option prune_options[] = {
    FILTER_OPTIONS,
    {OPT_OLDER, 'o', "older", "TIME", "only tasks that were started longer ago, as in 7d"},
    {OPT_YES, 'y', "yes", NULL, "do not ask before all of them are removed"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

static int count(const Filter *f, sd_bus *bus, uint64_t *ret) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    uint64_t sum = 0;
    uint32_t n;
    int r;

    r = filter_new_call(f, STATES_FINAL, bus, "CountTasks", &call);
    if (r < 0)
        return r;
    r = client_ask(bus, call, 0, &reply);
    if (r < 0)
        return r;
    r = sd_bus_message_enter_container(reply, 'a', "{su}");
    while (r >= 0 && (r = sd_bus_message_read(reply, "{su}", NULL, &n)) > 0)
        sum += n;
    if (r < 0)
        return client_report(NULL, r);
    *ret = sum;
    return 0;
}

/* Whether all of them are to go: 0, or EXIT_FAILURE. On a terminal the person is asked. */
static int confirm(const Filter *f, sd_bus *bus) {
    char answer[16] = "";
    uint64_t n = 0;
    int r;

    if (f->restricted || invocation_has(f->inv, OPT_YES))
        return 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return usage_error(f->inv->command,
                           "this would remove all ended tasks: say which, or --yes");
    r = count(f, bus, &n);
    if (r < 0 || n == 0)
        return r;
    fprintf(stderr, "Remove all ended tasks (%" PRIu64 "), with their logs and results? [y/N] ", n);
    if (!fgets(answer, sizeof(answer), stdin))
        fputc('\n', stderr);
    if (answer[0] == 'y' || answer[0] == 'Y')
        return 0;
    fputs("Nothing was removed.\n", stderr);
    return EXIT_FAILURE;
}

int cmd_prune(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL;
    Filter filter;
    uint32_t removed;
    int r;

    r = filter_parse(inv, STATES_FINAL, &filter);
    if (r != 0)
        return r;
    r = client_connect(&bus);
    if (r == 0)
        r = confirm(&filter, bus);
    if (r == 0)
        r = filter_new_call(&filter, STATES_FINAL, bus, "Prune", &call);
    if (r == 0)
        r = client_send_for_number(bus, call, &removed);
    return r != 0 ? r : print_removed(inv, removed);
}
