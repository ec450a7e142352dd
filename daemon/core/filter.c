#include "daemon/core/filter.h"

bool task_filter_matches(const TaskFilter *f, const Task *t) {
    if (f->states && !(f->states & (1u << task_shown_state(t))))
        return false;
    if (f->group && !streq(f->group, t->spec->group))
        return false;
    if (f->kind && !streq(f->kind, t->spec->kind))
        return false;
    if (f->label && !strstr(t->spec->label, f->label))
        return false;
    if (f->search && !strcasestr(t->spec->label, f->search))
        return false;
    if (f->parent > 0 && f->parent != t->spec->parent)
        return false;
    if (f->since > 0 && t->created_at < f->since)
        return false;
    if (f->until > 0 && t->created_at >= f->until)
        return false;
    return true;
}
