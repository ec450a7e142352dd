#pragma once

#include "daemon/commit.h"

/* Who waits for a commit, in the order in which it came. */

typedef struct CommitCall {
    CommitFunc func;
    void *userdata, *arg;
    bool must; /* kept until it is safe; the others are told when it fails */
} CommitCall;

typedef struct CommitCalls {
    CommitCall *calls;
    size_t count, allocated;
} CommitCalls;

/* 0 or -ENOMEM. */
int commit_calls_add(CommitCalls *l, CommitCall call);
/* Moves all of a list behind those of another one. 0 or -ENOMEM: then all stays as it is. */
int commit_calls_move(CommitCalls *to, CommitCalls *from);
/* Tells those that asked, moves the others to `kept`, and frees the list. */
void commit_calls_refuse(CommitCalls *l, CommitCalls *kept, int error);
void commit_calls_free(CommitCalls *l);
