#include "client-cli/states.h"

#include <stdio.h>

#include "client-cli/append.h"
#include "client-cli/output.h"
#include "common/cleanup.h"

static bool is_of(TaskState state, StatesOf set) {
    if (task_state_is_final(state))
        return set & STATES_FINAL;
    return set & (state == TASK_WAITING || state == TASK_QUEUED ? STATES_PENDING : STATES_STARTED);
}

static const char *set_name(StatesOf set) {
    switch (set) {
    case STATES_PENDING:
        return "state of a task that has not started";
    case STATES_ACTIVE:
        return "state of a task that has not ended";
    case STATES_FINAL:
        return "final state";
    default:
        return "state";
    }
}

/* "queued, starting, ..." */
static char *list_states(StatesOf set) {
    char *text = NULL;
    size_t size;
    FILE *f = must(open_memstream(&text, &size));

    for (TaskState s = 0; s < _TASK_STATE_MAX; s++)
        if (is_of(s, set))
            fprintf(f, "%s%s", ftell(f) > 0 ? ", " : "", task_state_to_string(s));
    fclose(f);
    return must(text);
}

int states_parse(const Invocation *inv, StatesOf allowed, bool ret[_TASK_STATE_MAX]) {
    bool any = invocation_has(inv, OPT_STATE);

    for (TaskState s = 0; s < _TASK_STATE_MAX; s++)
        ret[s] = !any && is_of(s, allowed);
    for (size_t i = 0; i < inv->n_options; i++) {
        const char *word = inv->options[i].value;
        if (inv->options[i].id != OPT_STATE)
            continue;
        TaskState state = task_state_from_string(word);
        if (state < 0 || !is_of(state, allowed)) {
            _cleanup_free_ char *known = list_states(allowed);
            return usage_error(inv->command, "\"%s\" is no %s: %s", word, set_name(allowed), known);
        }
        ret[state] = true;
    }
    return 0;
}

bool states_any(const bool states[_TASK_STATE_MAX], StatesOf wanted) {
    for (TaskState s = 0; s < _TASK_STATE_MAX; s++)
        if (states[s] && is_of(s, wanted))
            return true;
    return false;
}

int states_append(const bool states[_TASK_STATE_MAX], StatesOf wanted, sd_bus_message *call) {
    const char *words[_TASK_STATE_MAX + 1] = {};
    size_t n = 0;

    for (TaskState s = 0; s < _TASK_STATE_MAX; s++)
        if (states[s] && is_of(s, wanted))
            words[n++] = task_state_to_string(s);
    return append_strings(call, "states", words);
}
