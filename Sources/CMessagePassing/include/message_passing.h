// Calls of MPI whose types do not depend on the MPI library. Handles are pointers in one library and integers in another,
// constants have other values, and both may be macros that Swift cannot import. Here a handle of any library fits into a
// struct of its own kind, so that everything but message_passing.c is the same machine code for all libraries.
//
// Functions return MPI's error codes, of which 0 is success (MPI 3.1, section 8.4).
#pragma once
#include <stdint.h>

typedef struct {
  intptr_t value;
} ddpm_communicator;

typedef struct {
  intptr_t value;
} ddpm_datatype;

typedef struct {
  intptr_t value;
} ddpm_operation;

typedef struct {
  intptr_t value;
} ddpm_request;

typedef struct {
  intptr_t value;
} ddpm_file;

// The library

// Room for every text of the library, and the zero at its end.
#define DDPM_MPI_TEXT_LENGTH 8193

int ddpm_mpi_library_version(char text[DDPM_MPI_TEXT_LENGTH]);
// The file that the library was loaded from, as the loader found it; NULL if unknown.
const char *ddpm_mpi_library_file(void);
int ddpm_mpi_error_text(int code, char text[DDPM_MPI_TEXT_LENGTH]);
int ddpm_mpi_processor_name(char text[DDPM_MPI_TEXT_LENGTH]);

// Codes of errors that are found before a call.
int ddpm_mpi_count_error(void);
int ddpm_mpi_other_error(void);

// The session

// How many threads may call the library: only the one that joined, any but one at a time, several at once.
typedef enum { ddpm_single_thread, ddpm_one_thread_at_a_time, ddpm_several_threads } ddpm_threads;

int ddpm_mpi_initialise(ddpm_threads *granted);
int ddpm_mpi_finalise(void);
int ddpm_mpi_abort(ddpm_communicator communicator, int status);

// Communicators

ddpm_communicator ddpm_mpi_world(void);
int ddpm_mpi_return_errors(ddpm_communicator communicator);
int ddpm_mpi_rank(ddpm_communicator communicator, int *rank);
int ddpm_mpi_size(ddpm_communicator communicator, int *size);
// A color below 0 joins no part.
int ddpm_mpi_split(ddpm_communicator communicator, int color, int key, ddpm_communicator *part);
int ddpm_mpi_free(ddpm_communicator *communicator);

// Collective operations

ddpm_datatype ddpm_mpi_byte(void);
ddpm_datatype ddpm_mpi_uint16(void);
ddpm_datatype ddpm_mpi_int64(void);
ddpm_datatype ddpm_mpi_float(void);
ddpm_datatype ddpm_mpi_double(void);

ddpm_operation ddpm_mpi_sum(void);
ddpm_operation ddpm_mpi_minimum(void);
ddpm_operation ddpm_mpi_maximum(void);

int ddpm_mpi_barrier(ddpm_communicator communicator);
int ddpm_mpi_start_barrier(ddpm_communicator communicator, ddpm_request *request);
int ddpm_mpi_test(ddpm_request *request, int *done);
int ddpm_mpi_broadcast(void *buffer, int count, ddpm_datatype type, int root, ddpm_communicator communicator);
int ddpm_mpi_all_gather(const void *value, void *values, int count, ddpm_datatype type,
                        ddpm_communicator communicator);
int ddpm_mpi_all_gather_parts_in_place(void *whole, const int counts[], const int displacements[], ddpm_datatype type,
                                       ddpm_communicator communicator);
int ddpm_mpi_gather_parts(const void *part, int count, void *whole, const int counts[], const int displacements[],
                          ddpm_datatype type, int root, ddpm_communicator communicator);
int ddpm_mpi_all_reduce_in_place(void *buffer, int count, ddpm_datatype type, ddpm_operation operation,
                                 ddpm_communicator communicator);

// Messages between pairs of ranks, which are started one by one and completed together. Memory is allocated only while
// more of them are pending than ever before.

typedef struct ddpm_messages ddpm_messages;

// Room for this many messages; NULL if there is no memory for them.
ddpm_messages *ddpm_mpi_make_messages(int capacity);
// Forgets messages that are pending.
void ddpm_mpi_free_messages(ddpm_messages *messages);
int ddpm_mpi_start_send(ddpm_messages *messages, const void *buffer, int count, ddpm_datatype type, int destination,
                        int tag, ddpm_communicator communicator);
int ddpm_mpi_start_receive(ddpm_messages *messages, void *buffer, int count, ddpm_datatype type, int source, int tag,
                           ddpm_communicator communicator);
// Sets `done` if all messages have arrived, and then forgets them. Returns the code of the first one that failed.
int ddpm_mpi_test_all(ddpm_messages *messages, int *done);
// Cancels messages that have not arrived, and forgets all.
void ddpm_mpi_cancel_all(ddpm_messages *messages);

// Files (MPI 3.1, chapter 13)

// For writing, MPI libraries may also have to read: between the blocks that ranks write.
int ddpm_mpi_open_file(ddpm_communicator communicator, const char *path, int writes, ddpm_file *file);
int ddpm_mpi_close_file(ddpm_file *file);
int ddpm_mpi_write_at(ddpm_file file, int64_t offset, const void *bytes, int count);
// An address as the library counts it (MPI 3.1, section 4.1.5).
intptr_t ddpm_mpi_address(const void *place);
// All ranks read or write blocks of bytes, each its own: `lengths[i]` bytes at the offset `offsets[i]` of the file, from
// left to right, and at `addresses[i]` in memory. A rank whose blocks the library rejects takes part without any.
int ddpm_mpi_transfer_blocks(ddpm_file file, int writes, int count, const int lengths[], const intptr_t offsets[],
                             const intptr_t addresses[]);
