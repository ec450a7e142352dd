#pragma once

/* Deletes a folder and all that is in it; symbolic links in it are deleted, not followed. keep: the
 * name of an entry of the folder that stays, and the folder with it, or NULL. What cannot be
 * deleted is left. Does nothing when the folder is not there. */
void remove_tree(const char *path, const char *keep);
