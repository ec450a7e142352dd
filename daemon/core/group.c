#include "daemon/core/group.h"

#include <ctype.h>

static bool is_name_char(unsigned char c) {
    return (c < 0x80 && isalnum(c)) || c == '-' || c == '_' || c == '.';
}

int group_name_check(const char *what, const char *name, Error *error) {
    bool has_letter = false;

    if (isempty(name) || strlen(name) > GROUP_NAME_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "the name of a %s has 1 to %d characters",
                         what, GROUP_NAME_MAX);
    for (const char *c = name; *c; c++) {
        if (!is_name_char((unsigned char)*c))
            return error_set(error, ERROR_INVALID_OPTION,
                             "the name of a %s has letters, digits, '-', '_' and '.' alone", what);
        has_letter = has_letter || isalpha((unsigned char)*c);
    }
    if (!has_letter)
        return error_set(error, ERROR_INVALID_OPTION,
                         "\"%s\" cannot be the name of a %s: there must be a letter in it", name,
                         what);
    return 0;
}

Group *group_new(const char *name) {
    Group *g = calloc(1, sizeof(Group));

    if (g)
        g->name = strdup(name);
    if (!g || !g->name)
        return group_free(g);
    TAILQ_INIT(&g->pending);
    TAILQ_INIT(&g->at_work);
    g->plain.group = g;
    return g;
}

Group *group_free(Group *g) {
    Lane *l, *next;

    if (!g)
        return NULL;
    HASH_ITER (hh, g->lanes, l, next) {
        HASH_DELETE(hh, g->lanes, l);
        free(l);
    }
    task_spec_free(g->defaults);
    free(g->name);
    free(g);
    return NULL;
}

/* A series goes on for as long as nobody cancels it: who waits for the end of what was started does
 * not mean that. */
static bool counts(const Task *t) {
    return !task_spec_is_series(t->spec);
}

void group_task_added(Group *g, const Task *t) {
    g->active += counts(t);
}

void group_task_withdrawn(Group *g, const Task *t) {
    g->active -= counts(t);
}

bool group_task_ended(Group *g, const Task *t, unsigned *ret_succeeded, unsigned *ret_failed) {
    if (!counts(t))
        return false;
    g->active--;
    if (t->state == TASK_SUCCEEDED)
        g->succeeded++;
    else
        g->failed++;
    if (g->active > 0)
        return false;
    *ret_succeeded = g->succeeded;
    *ret_failed = g->failed;
    g->succeeded = g->failed = 0;
    return true;
}
