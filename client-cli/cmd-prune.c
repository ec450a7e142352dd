#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/states.h"
#include "common/clock.h"
#include "common/parse.h"

/* longrun prune */

const Option prune_options[] = {
    {OPT_STATE, 's', "state", "STATE", "only tasks in this state; may be given several times"},
    {OPT_OLDER, 'o', "older", "TIME", "only tasks that were started longer ago, as in 7d"},
    {OPT_KIND, 'k', "kind", "KIND", "only tasks of this kind"},
    {OPT_GROUP, 'g', "group", "GROUP", "only tasks of this group"},
    {OPT_LABEL, 'l', "label", "PART", "only tasks with this in the label"},
    {OPT_YES, 'y', "yes", NULL, "do not ask before all of them are removed"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

typedef struct Prune {
    const Invocation *inv; /* not owned */
    bool states[_TASK_STATE_MAX];
    uint64_t until_usec; /* 0: of any age */
    bool restricted;
} Prune;

static const struct {
    OptionId id;
    const char *key;
} texts[] = {{OPT_KIND, "kind"}, {OPT_GROUP, "group"}, {OPT_LABEL, "label"}};

static int parse_older(Prune *p) {
    const char *word = invocation_value(p->inv, OPT_OLDER);
    uint64_t age, now = clock_usec(CLOCK_REALTIME);

    if (!word)
        return 0;
    if (parse_span(word, &age) < 0 || age >= now)
        return usage_error(p->inv->command, "--older wants a time, as in 12h, 7d, 2w; not \"%s\"",
                           word);
    p->until_usec = now - age;
    p->restricted = true;
    return 0;
}

static int parse(Prune *p) {
    int r;

    for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
        const char *text = invocation_value(p->inv, texts[i].id);
        r = text_check(texts[i].key, strempty(text));
        if (r != 0)
            return r;
        p->restricted = p->restricted || text;
    }
    r = states_parse(p->inv, STATES_FINAL, p->states);
    if (r != 0)
        return r;
    p->restricted = p->restricted || invocation_has(p->inv, OPT_STATE);
    return parse_older(p);
}

static int append_filter(const Prune *p, sd_bus_message *call) {
    int r;

    r = sd_bus_message_open_container(call, 'a', "{sv}");
    if (r >= 0)
        r = states_append(p->states, STATES_FINAL, call);
    for (size_t i = 0; i < ELEMENTSOF(texts) && r >= 0; i++)
        if (invocation_value(p->inv, texts[i].id))
            r = sd_bus_message_append(call, "{sv}", texts[i].key, "s",
                                      invocation_value(p->inv, texts[i].id));
    if (r >= 0 && p->until_usec > 0)
        r = sd_bus_message_append(call, "{sv}", "until", "t", p->until_usec);
    return r < 0 ? r : sd_bus_message_close_container(call);
}

static int new_call(const Prune *p, sd_bus *bus, const char *member, sd_bus_message **ret) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = client_new_call(bus, member, &call);

    if (r < 0)
        return r;
    r = append_filter(p, call);
    if (r < 0)
        return client_report(NULL, r);
    *ret = TAKE_PTR(call);
    return 0;
}

static int count(const Prune *p, sd_bus *bus, uint64_t *ret) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    uint64_t sum = 0;
    uint32_t n;
    int r;

    r = new_call(p, bus, "CountTasks", &call);
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
static int confirm(const Prune *p, sd_bus *bus) {
    char answer[16] = "";
    uint64_t n = 0;
    int r;

    if (p->restricted || invocation_has(p->inv, OPT_YES))
        return 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return usage_error(p->inv->command,
                           "this would remove all ended tasks: say which, or --yes");
    r = count(p, bus, &n);
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
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    Prune p = {.inv = inv};
    uint32_t removed;
    int r;

    r = parse(&p);
    if (r != 0)
        return r;
    r = client_connect(&bus);
    if (r == 0)
        r = confirm(&p, bus);
    if (r == 0)
        r = new_call(&p, bus, "Prune", &call);
    if (r == 0)
        r = client_send(bus, call, 0, &reply);
    if (r != 0)
        return r;
    r = sd_bus_message_read(reply, "u", &removed);
    if (r < 0)
        return client_report(NULL, r);
    return print_removed(inv, removed);
}
