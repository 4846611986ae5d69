// Red-black trees (Cormen et al., chapter 13): nodes live inside what they order.
#pragma once
#include "types.h"

struct rb_node { struct rb_node *parent, *left, *right; bool red; };
struct rb_tree { struct rb_node *root; bool (*less)(const struct rb_node *, const struct rb_node *); };

void rb_insert(struct rb_tree *tree, struct rb_node *node);
void rb_remove(struct rb_tree *tree, struct rb_node *node);
struct rb_node *rb_first(const struct rb_tree *tree);
struct rb_node *rb_next(const struct rb_node *node);
/** Walks the whole tree; NULL, or the rule that is broken. */
const char *rb_check(const struct rb_tree *tree);
