#define _GNU_SOURCE
#include "host_links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int fail(int descriptor) {
  if (descriptor >= 0) close(descriptor);
  return -1;
}

static long long milliseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// Waits until a descriptor is ready; 0 if it is not in time.
static int wait_for(int descriptor, short events, long long deadline) {
  for (;;) {
    long long left = deadline - milliseconds_now();
    struct pollfd entry = {descriptor, events, 0};
    int count = poll(&entry, 1, left > 0 ? (int)left : 0);
    if (count < 0 && errno == EINTR) continue;
    return count > 0;
  }
}

int ddpm_link_listen(int *port) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  socklen_t length = sizeof address;
  if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, length) != 0 ||
      listen(descriptor, SOMAXCONN) != 0 || getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) {
    return fail(descriptor);
  }
  *port = ntohs(address.sin_port);
  return descriptor;
}

int ddpm_link_addresses(char *text, size_t capacity) {
  struct ifaddrs *all;
  if (getifaddrs(&all) != 0) return -1;
  int count = 0;
  size_t used = 0;
  for (struct ifaddrs *one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
    if (!(one->ifa_flags & IFF_UP) || one->ifa_flags & IFF_LOOPBACK) continue;
    char name[INET_ADDRSTRLEN];
    const struct sockaddr_in *address = (const struct sockaddr_in *)one->ifa_addr;
    if (!inet_ntop(AF_INET, &address->sin_addr, name, sizeof name)) continue;
    size_t length = strlen(name);
    if (used + length + 2 > capacity) break;
    if (used > 0) text[used++] = ' ';
    memcpy(text + used, name, length);
    used += length;
    count++;
  }
  freeifaddrs(all);
  if (capacity > 0) text[used] = 0;
  return count;
}

int ddpm_link_connect(const char *address, int port, int milliseconds, const void *greeting, size_t length) {
  long long deadline = milliseconds_now() + milliseconds;
  struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  if (inet_pton(AF_INET, address, &target.sin_addr) != 1) return -1;
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  if (connect(descriptor, (struct sockaddr *)&target, sizeof target) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    if (errno != EINPROGRESS || !wait_for(descriptor, POLLOUT, deadline) ||
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
      return fail(descriptor);
    }
  }
  // A few bytes fit the empty buffer of a new connection.
  if (send(descriptor, greeting, length, MSG_NOSIGNAL) != (ssize_t)length) return fail(descriptor);
  return descriptor;
}

int ddpm_link_accept(int listener, int milliseconds, void *greeting, size_t length) {
  long long deadline = milliseconds_now() + milliseconds;
  int descriptor;
  do {
    if (!wait_for(listener, POLLIN, deadline)) return -1;
    descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  } while (descriptor < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED));
  if (descriptor < 0) return -1;
  for (size_t done = 0; done < length;) {
    if (!wait_for(descriptor, POLLIN, deadline)) return fail(descriptor);
    ssize_t count = recv(descriptor, (char *)greeting + done, length - done, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return fail(descriptor);
    done += (size_t)count;
  }
  return descriptor;
}

int ddpm_link_watch(int descriptor, int idle, int interval, int probes) {
  int on = 1;
  return setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0 &&
                 setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) == 0 &&
                 setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) == 0 &&
                 setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes) == 0
             ? 0
             : -1;
}

int ddpm_link_state(int descriptor) {
  char byte;
  ssize_t count;
  do {
    count = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count == 0) return 1;
  return count > 0 || errno == EAGAIN || errno == EWOULDBLOCK ? 0 : 2;
}
