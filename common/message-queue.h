#pragma once

#include "common/macro.h"

/* Messages between tasks: lines of text that wait until somebody takes them, in their order. */

#define MESSAGE_MAX (4 * KIB) /* bytes of one */
#define MESSAGE_QUEUE_MAX 100 /* that wait in one place */

typedef struct Message {
    struct Message *next;
    size_t size;
    char text[]; /* NUL-terminated */
} Message;

/* All zeroes is an empty one. */
typedef struct MessageQueue {
    Message *first, *last; /* owned */
    unsigned n;
} MessageQueue;

/* 0, -EINVAL when it is more than one line, -EMSGSIZE when it is too long. */
int message_check(const char *text);

/* Copies the text to the end. 0, -ENOBUFS when the queue is full, or -ENOMEM. */
int message_queue_put(MessageQueue *q, const char *text);
/* Gives the first one, to be freed by the caller; NULL when there is none. */
Message *message_queue_take(MessageQueue *q);
void message_queue_clear(MessageQueue *q);
