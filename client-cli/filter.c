#include "client-cli/filter.h"

#include <errno.h>
#include <stdlib.h>

#include "client-cli/append.h"
#include "client-cli/client.h"
#include "client-cli/output.h"
#include "common/clock.h"
#include "common/parse.h"

static const struct {
    OptionId id;
    const char *key;
} texts[] = {{OPT_KIND, "kind"}, {OPT_GROUP, "group"}, {OPT_LABEL, "label"}};

static int parse_older(Filter *f) {
    const char *word = invocation_value(f->inv, OPT_OLDER);
    uint64_t age, now = clock_usec(CLOCK_REALTIME);

    if (!word)
        return 0;
    if (parse_span(word, &age) < 0 || age >= now)
        return usage_error(f->inv->command, "--older wants a time, as in 12h, 7d, 2w; not \"%s\"",
                           word);
    f->until_usec = now - age;
    f->restricted = true;
    return 0;
}

static int parse_parent(Filter *f) {
    const char *word = invocation_value(f->inv, OPT_PARENT);

    if (!word)
        return 0;
    f->restricted = true;
    return parse_id(f->inv->command, word, &f->parent);
}

int filter_parse(const Invocation *inv, StatesOf allowed, Filter *ret) {
    Filter f = {.inv = inv, .restricted = invocation_has(inv, OPT_STATE)};
    int r;

    r = states_parse(inv, allowed, f.states);
    for (size_t i = 0; i < ELEMENTSOF(texts) && r == 0; i++) {
        const char *text = invocation_value(inv, texts[i].id);
        r = text_check(texts[i].key, strempty(text));
        f.restricted = f.restricted || text;
    }
    if (r == 0)
        r = parse_parent(&f);
    if (r == 0)
        r = parse_older(&f);
    if (r != 0)
        return r;
    *ret = f;
    return 0;
}

int filter_append(const Filter *f, StatesOf wanted, sd_bus_message *call) {
    int r = states_append(f->states, wanted, call);

    for (size_t i = 0; i < ELEMENTSOF(texts) && r == 0; i++)
        if (invocation_value(f->inv, texts[i].id))
            r = append_string(call, texts[i].key, invocation_value(f->inv, texts[i].id));
    if (r == 0 && f->parent > 0)
        r = append_u64(call, "parent", f->parent);
    if (r == 0 && f->until_usec > 0)
        r = append_u64(call, "until", f->until_usec);
    return r;
}

int filter_new_call(const Filter *f, StatesOf wanted, sd_bus *bus, const char *member,
                    sd_bus_message **ret) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = client_new_call(bus, member, &call);

    if (r < 0)
        return r;
    r = append_open(call);
    if (r == 0)
        r = filter_append(f, wanted, call);
    if (r == 0)
        r = append_close(call);
    if (r != 0)
        return r;
    *ret = TAKE_PTR(call);
    return 0;
}

/* ---- ids, or a filter ---- */

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Who names a task twice means it once. The order stays. */
static void drop_repeated(Targets *t) {
    _cleanup_free_ uint64_t *sorted = must(calloc(t->n_ids, sizeof(uint64_t)));
    _cleanup_free_ bool *seen = must(calloc(t->n_ids, sizeof(bool)));
    size_t n_different = 0, n = 0;

    memcpy(sorted, t->ids, t->n_ids * sizeof(uint64_t));
    qsort(sorted, t->n_ids, sizeof(uint64_t), compare_ids);
    for (size_t i = 0; i < t->n_ids; i++)
        if (i == 0 || sorted[i] != sorted[n_different - 1])
            sorted[n_different++] = sorted[i];
    for (size_t i = 0; i < t->n_ids; i++) {
        uint64_t id = t->ids[i];
        const uint64_t *at = bsearch(&id, sorted, n_different, sizeof(id), compare_ids);
        if (!seen[at - sorted])
            t->ids[n++] = id;
        seen[at - sorted] = true;
    }
    t->n_ids = n;
}

static int parse_ids(const Invocation *inv, size_t first, Targets *t) {
    t->n_ids = inv->n_args - first;
    t->ids = must(calloc(t->n_ids, sizeof(uint64_t)));
    for (size_t i = 0; i < t->n_ids; i++) {
        int r = parse_id(inv->command, inv->args[first + i], &t->ids[i]);
        if (r != 0)
            return r;
    }
    drop_repeated(t);
    return 0;
}

int targets_parse(const Invocation *inv, size_t first, StatesOf allowed, Targets *ret) {
    _cleanup_(targets_done) Targets t = {};
    bool all = invocation_has(inv, OPT_ALL);
    int r = filter_parse(inv, allowed, &t.filter);

    if (r != 0)
        return r;
    if (all && t.filter.restricted)
        return usage_error(inv->command, "--all does not go together with a restriction");
    if (inv->n_args > first) {
        if (all || t.filter.restricted)
            return usage_error(inv->command,
                               "name the tasks, or say which by options; not both at once");
        r = parse_ids(inv, first, &t);
        if (r != 0)
            return r;
    } else if (!all && !t.filter.restricted) {
        return usage_error(inv->command, "which tasks? Name their ids, or say which by options "
                                         "such as --group; --all takes all of them");
    }
    *ret = t;
    t.ids = NULL;
    return 0;
}

void targets_done(Targets *t) {
    free(t->ids);
    *t = (Targets){};
}
