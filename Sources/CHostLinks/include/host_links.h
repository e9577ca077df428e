#pragma once
#include <stddef.h>

/// TCP connections between hosts over which nothing is sent: the system itself finds out whether the other host still
/// answers. Descriptors are not inherited by programs that this one starts. Each function returns -1 after an error.

/// Listens on a free port of all interfaces, which it stores, and returns the descriptor.
int ddpm_link_listen(int *port);

/// Writes the addresses of this host that others may reach, without loopback, separated by spaces. Returns their number.
int ddpm_link_addresses(char *text, size_t capacity);

/// Connects to a listener within the given time, sends it the greeting, and returns the descriptor.
int ddpm_link_connect(const char *address, int port, int milliseconds, const void *greeting, size_t length);

/// Accepts the next connection within the given time, receives its greeting, and returns the descriptor.
int ddpm_link_accept(int listener, int milliseconds, void *greeting, size_t length);

/// Has the system probe the other host after `idle` seconds of silence, every `interval` seconds, and give up the
/// connection after `probes` probes without an answer. Returns 0.
int ddpm_link_watch(int descriptor, int idle, int interval, int probes);

/// The state of a connection: 0 while the other host answers, 1 if the other process has closed it, 2 if the host has
/// not answered.
int ddpm_link_state(int descriptor);
