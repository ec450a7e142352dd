#pragma once

#include "daemon/core/task.h"

/* What ties an active task to others: the tasks that it waits for, and the tree of parents and
 * children. Most tasks have no ties. They are between active tasks: one to a task that has ended is
 * settled when it would be made. */

typedef enum DependencyKind {
    DEPENDENCY_AFTER,        /* it has succeeded */
    DEPENDENCY_AFTER_ANY,    /* it has ended */
    DEPENDENCY_AFTER_FAILED, /* it has failed, timed out or been interrupted */
} DependencyKind;

/* Whether an end is what the dependency asks for. */
bool dependency_is_met(DependencyKind kind, TaskState state);

typedef struct Dependency {
    Task *task; /* waits; not owned */
    Task *on;   /* for this one; not owned */
    DependencyKind kind;
    TAILQ_ENTRY(Dependency) of_task, of_on;
} Dependency;

TAILQ_HEAD(DependencyList, Dependency);
TAILQ_HEAD(ChildList, TaskTies);

typedef struct TaskTies {
    Task *task;                      /* whose they are; not owned */
    struct DependencyList needs;     /* owned; those that are not met yet */
    struct DependencyList needed_by; /* of others, who own them */
    unsigned n_needs;
    Task *parent; /* not owned; NULL = none */
    struct ChildList children;
    TAILQ_ENTRY(TaskTies) sibling;
    unsigned n_children;
    TAILQ_ENTRY(TaskTies) walk; /* of whoever walks: worklists without recursion */
    bool walked;                /* it is, or was, in the list of task_ties_would_cycle() */
} TaskTies;

TaskTies *task_ties_free(TaskTies *t); /* NULL-safe, gives NULL; undoes them */

/* The task waits for another one, which may have ended. 1: it does; 0: it need not, the end is as
 * it should be; -ESRCH: the end is another, and this will never come; -ENOMEM. */
int task_ties_add_dependency(Task *t, DependencyKind kind, Task *on);
/* One of its needs is settled, and freed. True: it was the last. */
bool task_ties_meet(Dependency *d);

/* Both active. 0 or -ENOMEM. */
int task_ties_set_parent(Task *child, Task *parent);
Task *task_ties_leave_parent(Task *t);    /* the one that it had, or NULL */
Task *task_parent(const Task *t);         /* active; NULL = none */
unsigned task_child_count(const Task *t); /* active ones */
/* Walk the active children. */
Task *task_first_child(const Task *t);
Task *task_next_child(const Task *t, const Task *child);
/* The next of all below root, parents before their children; NULL at the end. Begin with t = root.
 */
Task *task_next_in_tree(const Task *root, const Task *t);

/* Whether a new task that waits for one of `on`, and for which parent has to wait, could never end:
 * one of `on` waits, over whatever others, for parent, or is it. parent may be NULL. */
bool task_ties_would_cycle(Task *const *on, size_t n, const Task *parent);

/* The task has ended, or never was: nothing is tied to it any more. Who waits for it must have been
 * looked at before. */
void task_ties_undo(Task *t);
