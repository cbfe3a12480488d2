/* SPDX-License-Identifier: MIT */
#ifndef AUV_DEBUG_GRAPH_H
#define AUV_DEBUG_GRAPH_H

#include <asyncuv/graph.h>

/* A node of a call graph. */
struct auv__node {
        auv_call_graph_entry entry;
        size_t parent; /* index of what it awaits; its own for the first one */
};

/* Work of a walk that is yet to be done: a future, as an awaiter of a node. */
struct auv__step {
        auv_future *future;
        size_t level;
        size_t parent;
        bool through; /* it is not shown, but for who awaits it */
};

/* All zero is an empty one. */
struct auv__graph {
        struct auv__node *nodes; /* as auv_capture_call_graph() gives them */
        size_t n_nodes;
        size_t nodes_room;
        struct auv__step *steps;
        size_t n_steps;
        size_t steps_room;
        auv_future **met; /* those that have AUV__MARKED */
        size_t n_met;
        size_t met_room;
};

/*
 * Makes the graph of @future, down from it no further than @max_level. Returns 0 or AUV_ENOMEM;
 * auv__graph_deinit() is due in either case. What is in it must not be freed before.
 */
int auv__graph_init(struct auv__graph *graph, auv_future *future, size_t max_level);
void auv__graph_deinit(struct auv__graph *graph);

#endif
