#pragma once

#include "client-gtk/messages/message-item.h"

/* What is said with one friend, and where the person is in it: what is typed but not sent, and the
 * place to which the list is scrolled. They stay while others are looked at.
 *
 * Signal "changed": anything but the messages. */
#define LONGRUN_TYPE_CONVERSATION (conversation_get_type())
G_DECLARE_FINAL_TYPE(Conversation, conversation, LONGRUN, CONVERSATION, GObject)

#define CONVERSATION_LIMIT 50       /* messages at first */
#define CONVERSATION_LIMIT_MAX 1000 /* of LoadMessages */

Conversation *conversation_new(const char *peer);

const char *conversation_get_peer(Conversation *self);

/* Of MessageItem, oldest first. */
ItemList *conversation_get_messages(Conversation *self);

/* ---- loads ---- */

/* TRUE if the last one is a message to us that is new: not the first time that there are any. */
gboolean conversation_take(Conversation *self, GVariant *messages, MessageListPart part);

/* It was loaded once. */
gboolean conversation_get_loaded(Conversation *self);

gboolean conversation_get_loading(Conversation *self);
void conversation_set_loading(Conversation *self, gboolean loading);

/* Why the last load has failed, in words; NULL: it has not. */
const char *conversation_get_problem(Conversation *self);
void conversation_set_problem(Conversation *self, const char *problem);

/* How many messages are asked for. */
guint conversation_get_limit(Conversation *self);

/* FALSE when all are here, or there can be no more. */
gboolean conversation_raise_limit(Conversation *self);

/* ---- what is written ---- */

const char *conversation_get_draft(Conversation *self);
void conversation_set_draft(Conversation *self, const char *text);

/* Text that is under way; NULL = none. It is no draft meanwhile. */
const char *conversation_get_sending(Conversation *self);
void conversation_set_sending(Conversation *self, const char *text);

/* It was not sent: it is (the beginning of) the draft again. */
void conversation_sending_failed(Conversation *self);

/* ---- the place ---- */

/* Id of the last message in sight; NULL = the end is, and stays in sight. Told to nobody. */
const char *conversation_get_place(Conversation *self);
void conversation_set_place(Conversation *self, const char *id);
