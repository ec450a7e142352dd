#include "daemon/core/task-ties.h"

#include <errno.h>

bool dependency_is_met(DependencyKind kind, TaskState state) {
    switch (kind) {
    case DEPENDENCY_AFTER:
        return state == TASK_SUCCEEDED;
    case DEPENDENCY_AFTER_ANY:
        return task_state_is_final(state);
    case DEPENDENCY_AFTER_FAILED:
        return state == TASK_FAILED || state == TASK_TIMED_OUT || state == TASK_INTERRUPTED;
    }
    return false;
}

static int make_ties(Task *t) {
    if (t->ties)
        return 0;
    t->ties = calloc(1, sizeof(TaskTies));
    if (!t->ties)
        return -ENOMEM;
    t->ties->task = t;
    TAILQ_INIT(&t->ties->needs);
    TAILQ_INIT(&t->ties->needed_by);
    TAILQ_INIT(&t->ties->children);
    return 0;
}

/* ---- dependencies ---- */

int task_ties_add_dependency(Task *t, DependencyKind kind, Task *on) {
    if (task_is_final(on))
        return dependency_is_met(kind, on->state) ? 0 : -ESRCH;

    Dependency *d = calloc(1, sizeof(Dependency));
    if (!d || make_ties(t) < 0 || make_ties(on) < 0) {
        free(d);
        return -ENOMEM;
    }
    *d = (Dependency){.task = t, .on = on, .kind = kind};
    TAILQ_INSERT_TAIL(&t->ties->needs, d, of_task);
    TAILQ_INSERT_TAIL(&on->ties->needed_by, d, of_on);
    t->ties->n_needs++;
    return 1;
}

bool task_ties_meet(Dependency *d) {
    TaskTies *ties = d->task->ties;

    TAILQ_REMOVE(&ties->needs, d, of_task);
    TAILQ_REMOVE(&d->on->ties->needed_by, d, of_on);
    free(d);
    return --ties->n_needs == 0;
}

static void drop_all(struct DependencyList *l) {
    for (Dependency *d; (d = TAILQ_FIRST(l));)
        (void)task_ties_meet(d);
}

/* ---- the tree ---- */

static void leave_parent(TaskTies *t) {
    if (!t->parent)
        return;
    TAILQ_REMOVE(&t->parent->ties->children, t, sibling);
    t->parent->ties->n_children--;
    t->parent = NULL;
}

int task_ties_set_parent(Task *child, Task *parent) {
    if (make_ties(child) < 0 || make_ties(parent) < 0)
        return -ENOMEM;
    leave_parent(child->ties);
    child->ties->parent = parent;
    TAILQ_INSERT_TAIL(&parent->ties->children, child->ties, sibling);
    parent->ties->n_children++;
    return 0;
}

Task *task_ties_leave_parent(Task *t) {
    Task *parent = task_parent(t);

    if (parent)
        leave_parent(t->ties);
    return parent;
}

Task *task_parent(const Task *t) {
    return t->ties ? t->ties->parent : NULL;
}

unsigned task_child_count(const Task *t) {
    return t->ties ? t->ties->n_children : 0;
}

static Task *task_of(const TaskTies *t) {
    return t ? t->task : NULL;
}

Task *task_first_child(const Task *t) {
    return t->ties ? task_of(TAILQ_FIRST(&t->ties->children)) : NULL;
}

Task *task_next_child(const Task *t, const Task *child) {
    return task_of(TAILQ_NEXT(child->ties, sibling));
}

Task *task_next_in_tree(const Task *root, const Task *t) {
    Task *next = task_first_child(t);

    for (; !next && t != root; t = task_parent(t))
        next = task_next_child(task_parent(t), t);
    return next;
}

/* ---- cycles ---- */

/* Whether anything waits for one of those that wait for the parent: without that no way leads to
 * it, and there is nothing to be searched. */
static bool is_needed(const Task *parent) {
    for (const Task *t = parent; t; t = task_parent(t))
        if (t->ties && !TAILQ_EMPTY(&t->ties->needed_by))
            return true;
    return false;
}

static bool is_ancestor(const Task *t, const Task *of) {
    for (; of; of = task_parent(of))
        if (of == t)
            return true;
    return false;
}

static void push(struct ChildList *list, Task *t, const Task *parent) {
    /* One that has ended waits for nothing, and may be in a list of the scheduler's. */
    if (!t->ties || t->ties->walked || task_is_final(t))
        return;
    /* The parent waits for its children already, so none of them can wait for it. There may be a
     * long chain of them, to which the new one is added. */
    if (t->ties->parent == parent)
        return;
    t->ties->walked = true;
    TAILQ_INSERT_TAIL(list, t->ties, walk);
}

/* All that it waits for: a parent waits for its children too. */
static void push_needs(struct ChildList *list, const Task *t, const Task *parent) {
    Dependency *d;

    TAILQ_FOREACH (d, &t->ties->needs, of_task)
        push(list, d->on, parent);
    for (Task *c = task_first_child(t); c; c = task_next_child(t, c))
        push(list, c, parent);
}

bool task_ties_would_cycle(Task *const *on, size_t n, const Task *parent) {
    struct ChildList list = TAILQ_HEAD_INITIALIZER(list);
    bool found = false;
    TaskTies *at;

    for (size_t i = 0; i < n; i++)
        if (is_ancestor(on[i], parent))
            return true;
    if (!is_needed(parent))
        return false;
    for (size_t i = 0; i < n; i++)
        push(&list, on[i], parent);
    /* The list grows behind the place at which it is read. */
    TAILQ_FOREACH (at, &list, walk) {
        found = found || at->task == parent;
        if (!found)
            push_needs(&list, at->task, parent);
    }
    TAILQ_FOREACH (at, &list, walk)
        at->walked = false;
    return found;
}

/* ---- the end ---- */

TaskTies *task_ties_free(TaskTies *t) {
    if (!t)
        return NULL;
    drop_all(&t->needs);
    drop_all(&t->needed_by);
    for (TaskTies *child; (child = TAILQ_FIRST(&t->children));)
        leave_parent(child);
    leave_parent(t);
    free(t);
    return NULL;
}

void task_ties_undo(Task *t) {
    t->ties = task_ties_free(t->ties);
}
