#pragma once

#include "common/cleanup.h"
#include "common/macro.h"

/* Which of several places is asked next, and when. Pure: times are handed in. */

typedef struct Mirror {
    const char *url;   /* not owned */
    bool out;          /* it has not what is wanted */
    bool whole_once;   /* it was asked for all of it anew, after a digest that was wrong */
    unsigned failures; /* in a row, each without anything that was not there before */
    uint64_t due_usec; /* not before */
    char *why;         /* the last failure, owned */
} Mirror;

typedef struct Mirrors {
    Mirror *list; /* owned */
    size_t n;
    size_t last; /* asked last */
} Mirrors;

#define MIRROR_DELAY_FIRST (250 * USEC_PER_MSEC)
#define MIRROR_DELAY_MAX (30 * USEC_PER_SEC)
#define MIRROR_LOYALTY                                                                             \
    3 /* failures of the one that alone can go on, before another begins anew                      \
       */

int mirrors_init(Mirrors *m, char *const *urls); /* 0 or -ENOMEM */
void mirrors_done(Mirrors *m);

/* The one that is due first, of several the next in turn. bound: the only url that can go on with
 * what is there, or NULL. NULL when all are out. */
Mirror *mirrors_next(Mirrors *m, const char *bound);

/* It did not work. why is copied. random decides about half of the delay, which doubles from
 * failure to failure, and is never below what the server has asked for. */
void mirror_failed(Mirror *mirror, const char *why, uint64_t now_usec, uint64_t retry_after_usec,
                   uint64_t random);

/* All that are left have failed since anything new came. */
bool mirrors_all_failed(const Mirrors *m);
