#pragma once

#include "client-gtk/messages/conversation.h"

/* Conversations by peer. Others than this window ask for messages, too, and everybody is told: of
 * many, those that were not used for longest are forgotten, but for those with a draft or with a
 * call under way. */
typedef struct Conversations Conversations;

#define CONVERSATIONS_MAX 32

Conversations *conversations_new(void);
void conversations_free(Conversations *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Conversations, conversations_free)

/* Makes it when there is none. Owned by self: a caller that keeps it takes a reference. keep: a
 * peer that is not forgotten now, or NULL. */
Conversation *conversations_get(Conversations *self, const char *peer, const char *keep);

guint conversations_size(Conversations *self);
