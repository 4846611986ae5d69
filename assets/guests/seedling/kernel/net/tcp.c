// TCP (RFC 793, updated by RFC 9293), as little of it as is right: one segment under way at a time, sent again until it is
// acknowledged; what arrives out of order is not kept. Port 7 echoes.
#include "lib/printf.h"
#include "lib/string.h"
#include "net/net.h"
#include "task/task.h"
#include "time/clock.h"

#define HEADER 20
#define MSS 1400
#define BUFFER 4096
#define RETRANSMIT_NS 100000000ull
#define TRIES 20
#define LINGER_NS 500000000ull // instead of twice the maximum segment lifetime: nothing lives long in a loopback

#define FIN 1
#define SYN 2
#define RST 4
#define PSH 8
#define ACK 16

enum state { CLOSED, SYN_SENT, SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSING, TIME_WAIT, CLOSE_WAIT, LAST_ACK };
static const char *const state_names[] = {"closed", "syn-sent", "syn-received", "established", "fin-wait-1", "fin-wait-2", "closing", "time-wait", "close-wait", "last-ack"};

struct tcp {
    volatile enum state state;
    bool echo, user; // the echo service's; in use by a task
    u32 address;
    u16 port, remote_port;
    u32 unacknowledged, next, received; // SND.UNA, SND.NXT, RCV.NXT
    u32 remote_window;
    u8 flight_flags; // SYN or FIN among what is under way
    u32 flight;      // bytes of `out` under way
    u64 sent_at;
    u32 tries;
    bool want_fin;
    u8 out[BUFFER], in[BUFFER];
    u32 out_size, in_size;
    u64 retransmissions;
};
static struct tcp connections[8];
static u16 next_port = 49152;

static void send_segment(struct tcp *t, u8 flags, u32 sequence, const u8 *data, u32 size) {
    u8 segment[HEADER + MSS];
    memset(segment, 0, HEADER);
    put16(segment, t->port);
    put16(segment + 2, t->remote_port);
    put32(segment + 4, sequence);
    put32(segment + 8, flags & ACK ? t->received : 0);
    segment[12] = HEADER / 4 << 4;
    segment[13] = flags;
    put16(segment + 14, BUFFER - t->in_size); // as much as there is room for
    memcpy(segment + HEADER, data, size);
    put16(segment + 16, checksum(segment, HEADER + size, pseudo_header_sum(OUR_ADDRESS, t->address, PROTOCOL_TCP, HEADER + size)));
    ip_send(t->address, PROTOCOL_TCP, segment, HEADER + size);
}

static void acknowledge(struct tcp *t) { send_segment(t, ACK, t->next, NULL, 0); }

/** Sends what is under way, for the first time or again. */
static void transmit(struct tcp *t) {
    t->sent_at = clock_ns();
    send_segment(t, (u8)(t->flight_flags | (t->state == SYN_SENT ? 0 : ACK) | (t->flight ? PSH : 0)), t->unacknowledged, t->out, t->flight);
}

/** Puts the next thing under way, if nothing is. */
static void push(struct tcp *t) {
    if (t->flight || t->flight_flags) return;
    bool may_send = t->state == ESTABLISHED || t->state == CLOSE_WAIT;
    if (!may_send) return;
    t->flight = MIN(MIN(t->out_size, MSS), t->remote_window);
    if (!t->flight && t->out_size) t->flight = 1; // a closed window is probed with one byte
    if (!t->flight && t->want_fin) {
        t->flight_flags = FIN;
        t->state = t->state == CLOSE_WAIT ? LAST_ACK : FIN_WAIT_1;
    }
    if (!t->flight && !t->flight_flags) return;
    t->tries = 0;
    t->next = t->unacknowledged + t->flight + (t->flight_flags ? 1 : 0);
    transmit(t);
}

static struct tcp *open(u32 address, u16 port, u16 remote_port, enum state state) {
    for (unsigned i = 0; i < COUNT_OF(connections); i++) {
        struct tcp *t = &connections[i];
        if (t->state != CLOSED || t->user) continue;
        u32 initial = (u32)(clock_ns() >> 12); // RFC 793 wants a clock, too: about 4 us
        *t = (struct tcp){.state = state, .address = address, .port = port, .remote_port = remote_port, .unacknowledged = initial,
                          .next = initial + 1, .flight_flags = SYN};
        return t;
    }
    return NULL;
}

/** The echo service: what came in goes out. */
static void serve(struct tcp *t) {
    u32 count = MIN(t->in_size, BUFFER - t->out_size);
    memcpy(t->out + t->out_size, t->in, count);
    t->out_size += count;
    memmove(t->in, t->in + count, t->in_size - count);
    t->in_size -= count;
    if (t->state == CLOSE_WAIT && t->in_size == 0) t->want_fin = true;
}

static void acknowledged(struct tcp *t, u32 number) {
    if (number != t->next || number == t->unacknowledged) return; // all of what is under way, or nothing
    memmove(t->out, t->out + t->flight, t->out_size - t->flight);
    t->out_size -= t->flight;
    t->flight = 0;
    t->unacknowledged = t->next;
    bool fin = t->flight_flags & FIN;
    t->flight_flags = 0;
    if (t->state == SYN_RECEIVED) t->state = ESTABLISHED;
    else if (fin && t->state == FIN_WAIT_1) t->state = FIN_WAIT_2;
    else if (fin && t->state == CLOSING) t->state = TIME_WAIT;
    else if (fin && t->state == LAST_ACK) t->state = CLOSED;
    t->sent_at = clock_ns();
}

static void reset_unknown(u32 from, const u8 *segment, u8 flags, u32 length) {
    if (flags & RST) return;
    struct tcp nobody = {.address = from, .port = get16(segment + 2), .remote_port = get16(segment),
                         .received = get32(segment + 4) + length + (flags & SYN ? 1 : 0)};
    if (flags & ACK) send_segment(&nobody, RST, get32(segment + 8), NULL, 0);
    else send_segment(&nobody, RST | ACK, 0, NULL, 0);
}

void tcp_receive_segment(u32 from, const u8 *segment, u32 size) {
    if (size < HEADER || checksum(segment, size, pseudo_header_sum(from, OUR_ADDRESS, PROTOCOL_TCP, size))) return;
    u32 header = (u32)(segment[12] >> 4) * 4;
    if (header < HEADER || header > size) return;
    u8 flags = segment[13];
    u32 sequence = get32(segment + 4), length = size - header;
    const u8 *data = segment + header;
    struct tcp *t = NULL;
    for (unsigned i = 0; i < COUNT_OF(connections); i++) {
        struct tcp *c = &connections[i];
        if (c->state != CLOSED && c->address == from && c->port == get16(segment + 2) && c->remote_port == get16(segment)) t = c;
    }
    if (!t && get16(segment + 2) == PORT_ECHO && (flags & (SYN | ACK | RST)) == SYN) {
        t = open(from, PORT_ECHO, get16(segment), SYN_RECEIVED);
        if (!t) return; // it will ask again
        t->echo = true;
        t->received = sequence + 1;
        t->remote_window = get16(segment + 14);
        transmit(t); // SYN and ACK
        return;
    }
    if (!t) {
        reset_unknown(from, segment, flags, length);
        return;
    }
    if (flags & RST) {
        t->state = CLOSED;
        return;
    }
    if (t->state == SYN_SENT) {
        if ((flags & (SYN | ACK)) != (SYN | ACK) || get32(segment + 8) != t->next) return;
        t->received = sequence + 1;
        t->remote_window = get16(segment + 14);
        t->state = ESTABLISHED;
        acknowledged(t, t->next);
        acknowledge(t);
        push(t);
        return;
    }
    if (flags & SYN) { // our SYN+ACK, or the last ACK of the opening, was lost
        if (t->state == SYN_RECEIVED) transmit(t);
        else acknowledge(t);
        return;
    }
    if (!(flags & ACK)) return;
    t->remote_window = get16(segment + 14);
    acknowledged(t, get32(segment + 8));
    if (length || flags & FIN) {
        bool in_order = sequence == t->received;
        bool may_receive = t->state == ESTABLISHED || t->state == FIN_WAIT_1 || t->state == FIN_WAIT_2;
        if (in_order && may_receive && length <= BUFFER - t->in_size) {
            memcpy(t->in + t->in_size, data, length);
            t->in_size += length;
            t->received += length;
            if (flags & FIN) {
                t->received++;
                t->state = t->state == ESTABLISHED ? CLOSE_WAIT : t->state == FIN_WAIT_1 ? CLOSING : TIME_WAIT;
                t->sent_at = clock_ns();
            }
        }
        acknowledge(t); // what we have, whatever came
    }
    if (t->echo) serve(t);
    push(t);
}

void tcp_timer(void) {
    u64 now = clock_ns();
    for (unsigned i = 0; i < COUNT_OF(connections); i++) {
        struct tcp *t = &connections[i];
        if (t->state == CLOSED) continue;
        if (t->state == TIME_WAIT) {
            if (now - t->sent_at > LINGER_NS) t->state = CLOSED;
            continue;
        }
        if ((t->flight || t->flight_flags) && now - t->sent_at > RETRANSMIT_NS) {
            if (++t->tries > TRIES) t->state = CLOSED;
            else {
                t->retransmissions++;
                transmit(t);
            }
        }
    }
}

void tcp_print(void) {
    for (unsigned i = 0; i < COUNT_OF(connections); i++) {
        struct tcp *t = &connections[i];
        if (t->state != CLOSED) printf("  tcp %u to port %u: %s, %llu segments sent again\n", t->port, t->remote_port, state_names[t->state], t->retransmissions);
    }
}

// ---- for tasks


struct tcp *tcp_connect(u32 address, u16 port) {
    mutex_lock(&net_lock);
    struct tcp *t = open(address, next_port++, port, SYN_SENT);
    if (t) {
        t->user = true;
        transmit(t);
    }
    mutex_unlock(&net_lock);
    if (!t) return NULL;
    for (int i = 0; i < 500 && t->state == SYN_SENT; i++) task_sleep(10000000);
    if (t->state == ESTABLISHED || t->state == CLOSE_WAIT) return t;
    t->state = CLOSED;
    t->user = false;
    return NULL;
}

s64 tcp_send(struct tcp *t, const void *data, u64 size) {
    u64 done = 0;
    while (done < size) {
        mutex_lock(&net_lock);
        bool open_ = t->state == ESTABLISHED || t->state == CLOSE_WAIT;
        u32 count = open_ ? (u32)MIN(size - done, BUFFER - t->out_size) : 0;
        memcpy(t->out + t->out_size, (const u8 *)data + done, count);
        t->out_size += count;
        done += count;
        push(t);
        mutex_unlock(&net_lock);
        if (!open_) return -1;
        if (count == 0) task_sleep(5000000);
    }
    return (s64)done;
}

s64 tcp_receive(struct tcp *t, void *data, u64 size) {
    for (;;) {
        mutex_lock(&net_lock);
        u32 count = (u32)MIN(size, t->in_size);
        memcpy(data, t->in, count);
        memmove(t->in, t->in + count, t->in_size - count);
        t->in_size -= count;
        bool end = t->state != ESTABLISHED && t->state != FIN_WAIT_1 && t->state != FIN_WAIT_2;
        if (count) acknowledge(t); // there is room again
        mutex_unlock(&net_lock);
        if (count || end) return count;
        task_sleep(5000000);
    }
}

void tcp_close(struct tcp *t) {
    mutex_lock(&net_lock);
    t->want_fin = true;
    push(t);
    mutex_unlock(&net_lock);
    for (int i = 0; i < 500 && t->state != CLOSED && t->state != TIME_WAIT; i++) task_sleep(10000000);
    t->user = false;
}
