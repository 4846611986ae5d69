// Doubly linked lists: the head is a node like any other, so nothing is ever a special case.
#pragma once
#include "types.h"

struct list { struct list *next, *previous; };

#define LIST(name) struct list name = {&(name), &(name)}
static inline void list_init(struct list *head) { head->next = head->previous = head; }
static inline bool list_empty(const struct list *head) { return head->next == head; }
static inline void list_insert_before(struct list *node, struct list *where) {
    node->next = where;
    node->previous = where->previous;
    where->previous->next = node;
    where->previous = node;
}
static inline void list_append(struct list *head, struct list *node) { list_insert_before(node, head); }
static inline void list_prepend(struct list *head, struct list *node) { list_insert_before(node, head->next); }
/** Takes a node out and leaves it empty, so that removing it again does no harm. */
static inline void list_remove(struct list *node) {
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}
static inline struct list *list_pop(struct list *head) {
    struct list *node = head->next;
    if (node == head) return NULL;
    list_remove(node);
    return node;
}
#define LIST_EACH(node, head) for (struct list *node = (head)->next; node != (head); node = node->next)
/** The same, when the body may remove the node. */
#define LIST_EACH_SAFE(node, head)                                                                                     \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);                                  \
         node = node##_next, node##_next = node->next)
