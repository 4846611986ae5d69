// A small network stack: Ethernet, ARP, IPv4, ICMP echo, UDP and TCP with an echo service on port 7 of each. Its one device
// so far is a loopback that returns every frame; a driver for a real one would call net_receive and set `transmit`.
#pragma once
#include "task/wait.h"
#include "types.h"

#define MAC_LENGTH 6
#define MTU 1500
#define OUR_ADDRESS 0x0A000001u // 10.0.0.1, in host order as everywhere inside
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PORT_ECHO 7

struct net_device {
    const char *name;
    u8 mac[MAC_LENGTH];
    void (*transmit)(struct net_device *device, const u8 *frame, u32 size);
    u64 sent, received, dropped;
};
extern struct net_device loopback;
extern u32 loopback_loss; // every so many-th frame is lost, 0: none
extern struct mutex net_lock;       // all state of the stack
extern struct wait_queue net_changed; // woken when something in it has changed

void net_init(void);
void net_print(void);
/** A frame has come in: from a driver, at any time. */
void net_receive(struct net_device *device, const u8 *frame, u32 size);

// The rest is called with net_lock held.
/** The Internet checksum (RFC 1071) of data, going on from `sum`. */
u16 checksum(const void *data, u32 size, u32 sum);
void ethernet_send(u16 type, const u8 to[MAC_LENGTH], const void *payload, u32 size);
/** The MAC address for an IP address; false: asked for, try again later. */
bool arp_resolve(u32 address, u8 mac[MAC_LENGTH]);
void arp_receive(const u8 *packet, u32 size);
void ip_send(u32 to, u8 protocol, const void *payload, u32 size);
void ip_receive(const u8 *packet, u32 size);
/** Sum over the pseudo header that UDP and TCP include (RFC 768, RFC 793). */
u32 pseudo_header_sum(u32 from, u32 to, u8 protocol, u32 size);
void udp_send(u32 to, u16 from_port, u16 to_port, const void *data, u32 size);
void tcp_receive_segment(u32 from, const u8 *segment, u32 size);
void tcp_timer(void);
void tcp_print(void);

// For tasks; these take net_lock themselves.
/** Sends an echo request and waits: nanoseconds until the answer, 0: none in a second. */
u64 net_ping(u32 address, u32 size);
/** Sends a datagram from `port` and waits for one to it; bytes of the answer, negative: none in a second. */
s64 net_udp_exchange(u32 address, u16 port, u16 to_port, const void *data, u32 size, void *answer, u32 answer_size);
struct tcp;
struct tcp *tcp_connect(u32 address, u16 port); // NULL: refused, or no answer
s64 tcp_send(struct tcp *tcp, const void *data, u64 size);
s64 tcp_receive(struct tcp *tcp, void *data, u64 size); // 0: the other side has closed
void tcp_close(struct tcp *tcp);

static inline u16 get16(const u8 *p) { return (u16)(p[0] << 8 | p[1]); }
static inline u32 get32(const u8 *p) { return (u32)get16(p) << 16 | get16(p + 2); }
static inline void put16(u8 *p, u32 v) { p[0] = (u8)(v >> 8), p[1] = (u8)v; }
static inline void put32(u8 *p, u32 v) { put16(p, v >> 16), put16(p + 2, v); }
