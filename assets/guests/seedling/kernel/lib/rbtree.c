#include "lib/rbtree.h"

// Every node is red or black; the root is black; a red node has no red child; every path down has as many black nodes.
// An absent child (NULL) counts as black.

static bool is_red(const struct rb_node *node) { return node && node->red; }

/** Puts `by` (or nothing) where `node` hangs. */
static void replace(struct rb_tree *tree, struct rb_node *node, struct rb_node *by) {
    if (!node->parent) tree->root = by;
    else if (node == node->parent->left) node->parent->left = by;
    else node->parent->right = by;
    if (by) by->parent = node->parent;
}

static void rotate(struct rb_tree *tree, struct rb_node *node, bool to_left) {
    struct rb_node *child = to_left ? node->right : node->left;
    struct rb_node *inner = to_left ? child->left : child->right;
    replace(tree, node, child);
    if (to_left) {
        node->right = inner;
        child->left = node;
    } else {
        node->left = inner;
        child->right = node;
    }
    if (inner) inner->parent = node;
    node->parent = child;
}

void rb_insert(struct rb_tree *tree, struct rb_node *node) {
    struct rb_node **link = &tree->root, *parent = NULL;
    while (*link) {
        parent = *link;
        link = tree->less(node, parent) ? &parent->left : &parent->right; // equals go right: first come, first served
    }
    *node = (struct rb_node){.parent = parent, .red = true};
    *link = node;

    while (is_red(node->parent)) {
        parent = node->parent;
        struct rb_node *grand = parent->parent;
        bool left = parent == grand->left;
        struct rb_node *uncle = left ? grand->right : grand->left;
        if (is_red(uncle)) {
            parent->red = uncle->red = false;
            grand->red = true;
            node = grand;
            continue;
        }
        if (node == (left ? parent->right : parent->left)) {
            rotate(tree, parent, left);
            node = parent;
            parent = node->parent;
        }
        parent->red = false;
        grand->red = true;
        rotate(tree, grand, !left);
    }
    tree->root->red = false;
}

/** A black node went missing above `node` (which may be NULL, hence `parent`). */
static void mend(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent) {
    while (node != tree->root && !is_red(node)) {
        bool left = node == parent->left;
        struct rb_node *sibling = left ? parent->right : parent->left;
        if (is_red(sibling)) {
            sibling->red = false;
            parent->red = true;
            rotate(tree, parent, left);
            sibling = left ? parent->right : parent->left;
        }
        struct rb_node *outer = left ? sibling->right : sibling->left, *inner = left ? sibling->left : sibling->right;
        if (!is_red(outer) && !is_red(inner)) {
            sibling->red = true;
            node = parent;
            parent = node->parent;
            continue;
        }
        if (!is_red(outer)) {
            inner->red = false;
            sibling->red = true;
            rotate(tree, sibling, !left);
            sibling = left ? parent->right : parent->left;
            outer = left ? sibling->right : sibling->left;
        }
        sibling->red = parent->red;
        parent->red = false;
        outer->red = false;
        rotate(tree, parent, left);
        node = tree->root;
    }
    if (node) node->red = false;
}

void rb_remove(struct rb_tree *tree, struct rb_node *node) {
    struct rb_node *child, *parent;
    bool lost_red = node->red;
    if (!node->left || !node->right) {
        child = node->left ? node->left : node->right;
        parent = node->parent;
        replace(tree, node, child);
    } else {
        struct rb_node *next = node->right; // the successor takes the node's place and colour
        while (next->left) next = next->left;
        lost_red = next->red;
        child = next->right;
        if (next->parent == node) parent = next;
        else {
            parent = next->parent;
            replace(tree, next, child);
            next->right = node->right;
            next->right->parent = next;
        }
        replace(tree, node, next);
        next->left = node->left;
        next->left->parent = next;
        next->red = node->red;
    }
    if (!lost_red) mend(tree, child, parent);
}

struct rb_node *rb_first(const struct rb_tree *tree) {
    struct rb_node *node = tree->root;
    while (node && node->left) node = node->left;
    return node;
}

struct rb_node *rb_next(const struct rb_node *node) {
    if (node->right) {
        node = node->right;
        while (node->left) node = node->left;
        return (struct rb_node *)node;
    }
    while (node->parent && node == node->parent->right) node = node->parent;
    return node->parent;
}

/** The number of black nodes on every way down, or -1. */
static int black_height(const struct rb_tree *tree, const struct rb_node *node, const char **wrong) {
    if (!node) return 1;
    if (node->red && (is_red(node->left) || is_red(node->right))) *wrong = "a red node has a red child";
    if (node->left && tree->less(node, node->left)) *wrong = "a left child is greater";
    if (node->right && tree->less(node->right, node)) *wrong = "a right child is less";
    int left = black_height(tree, node->left, wrong), right = black_height(tree, node->right, wrong);
    if (left != right) *wrong = "two ways down differ in black nodes";
    return left + !node->red;
}

const char *rb_check(const struct rb_tree *tree) {
    const char *wrong = is_red(tree->root) ? "the root is red" : NULL;
    black_height(tree, tree->root, &wrong);
    return wrong;
}
