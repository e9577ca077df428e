#pragma once
#include <mpi.h>
#include <stddef.h>

// Swift cannot import MPI's constants, which are macros around casts (Open MPI) or numbers without a type (MPICH), and
// sees every kind of handle as the same pointer or integer. Each kind gets a struct of its own here, and each constant
// a function.

typedef struct {
  MPI_Comm value;
} ddpm_communicator;

typedef struct {
  MPI_Datatype value;
} ddpm_datatype;

typedef struct {
  MPI_Op value;
} ddpm_operation;

typedef struct {
  MPI_Request value;
} ddpm_request;

typedef struct {
  MPI_File value;
} ddpm_file;

static inline ddpm_communicator ddpm_mpi_world(void) { return (ddpm_communicator){MPI_COMM_WORLD}; }

static inline ddpm_datatype ddpm_mpi_byte(void) { return (ddpm_datatype){MPI_BYTE}; }
static inline ddpm_datatype ddpm_mpi_int64(void) { return (ddpm_datatype){MPI_INT64_T}; }
static inline ddpm_datatype ddpm_mpi_uint16(void) { return (ddpm_datatype){MPI_UINT16_T}; }
static inline ddpm_datatype ddpm_mpi_float(void) { return (ddpm_datatype){MPI_FLOAT}; }
static inline ddpm_datatype ddpm_mpi_double(void) { return (ddpm_datatype){MPI_DOUBLE}; }

static inline ddpm_operation ddpm_mpi_sum(void) { return (ddpm_operation){MPI_SUM}; }
static inline ddpm_operation ddpm_mpi_minimum(void) { return (ddpm_operation){MPI_MIN}; }
static inline ddpm_operation ddpm_mpi_maximum(void) { return (ddpm_operation){MPI_MAX}; }

static inline int ddpm_mpi_initialise(int *granted) {
  return MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, granted);
}

static inline int ddpm_mpi_return_errors(ddpm_communicator communicator) {
  return MPI_Comm_set_errhandler(communicator.value, MPI_ERRORS_RETURN);
}

static inline int ddpm_mpi_undefined(void) { return MPI_UNDEFINED; }

static inline int ddpm_mpi_split(ddpm_communicator communicator, int color, int key, ddpm_communicator *part) {
  return MPI_Comm_split(communicator.value, color, key, &part->value);
}

static inline int ddpm_mpi_free(ddpm_communicator *communicator) { return MPI_Comm_free(&communicator->value); }

static inline int ddpm_mpi_start_barrier(ddpm_communicator communicator, ddpm_request *request) {
  return MPI_Ibarrier(communicator.value, &request->value);
}

static inline int ddpm_mpi_test(ddpm_request *request, int *done) {
  return MPI_Test(&request->value, done, MPI_STATUS_IGNORE);
}

static inline int ddpm_mpi_broadcast(void *buffer, int count, ddpm_datatype type, int root,
                                     ddpm_communicator communicator) {
  return MPI_Bcast(buffer, count, type.value, root, communicator.value);
}

static inline int ddpm_mpi_all_gather(const void *value, void *values, int count, ddpm_datatype type,
                                      ddpm_communicator communicator) {
  return MPI_Allgather(value, count, type.value, values, count, type.value, communicator.value);
}

static inline int ddpm_mpi_all_gather_parts_in_place(void *whole, const int counts[], const int displacements[],
                                                     ddpm_datatype type, ddpm_communicator communicator) {
  return MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, whole, counts, displacements, type.value,
                        communicator.value);
}

static inline int ddpm_mpi_gather_parts(const void *part, int count, void *whole, const int counts[],
                                        const int displacements[], ddpm_datatype type, int root,
                                        ddpm_communicator communicator) {
  return MPI_Gatherv(part, count, type.value, whole, counts, displacements, type.value, root, communicator.value);
}

static inline int ddpm_mpi_all_reduce_in_place(void *buffer, int count, ddpm_datatype type, ddpm_operation operation,
                                               ddpm_communicator communicator) {
  return MPI_Allreduce(MPI_IN_PLACE, buffer, count, type.value, operation.value, communicator.value);
}

static inline int ddpm_mpi_start_send(const void *buffer, int count, ddpm_datatype type, int destination, int tag,
                                      ddpm_communicator communicator, ddpm_request *request) {
  return MPI_Isend(buffer, count, type.value, destination, tag, communicator.value, &request->value);
}

static inline int ddpm_mpi_start_receive(void *buffer, int count, ddpm_datatype type, int source, int tag,
                                         ddpm_communicator communicator, ddpm_request *request) {
  return MPI_Irecv(buffer, count, type.value, source, tag, communicator.value, &request->value);
}

static inline int ddpm_mpi_cancel(ddpm_request *request) {
  if (request->value == MPI_REQUEST_NULL) return MPI_SUCCESS;
  int status = MPI_Cancel(&request->value);
  return status == MPI_SUCCESS ? MPI_Wait(&request->value, MPI_STATUS_IGNORE) : status;
}

// A struct of one handle has the layout of the handle, so an array of requests is passed on as it is.
static inline int ddpm_mpi_test_all(int count, ddpm_request requests[], int *done, MPI_Status statuses[]) {
  return MPI_Testall(count, (MPI_Request *)requests, done, statuses);
}

// Files (MPI 3.1, chapter 13). For writing, MPI libraries may also have to read: between the blocks that ranks write.
static inline int ddpm_mpi_open_file(ddpm_communicator communicator, const char *path, int writes, ddpm_file *file) {
  return MPI_File_open(communicator.value, path, writes ? MPI_MODE_RDWR : MPI_MODE_RDONLY, MPI_INFO_NULL,
                       &file->value);
}

static inline int ddpm_mpi_close_file(ddpm_file *file) { return MPI_File_close(&file->value); }

static inline int ddpm_mpi_synchronise_file(ddpm_file file) { return MPI_File_sync(file.value); }

static inline int ddpm_mpi_write_at(ddpm_file file, MPI_Offset offset, const void *bytes, int count) {
  return MPI_File_write_at(file.value, offset, bytes, count, MPI_BYTE, MPI_STATUS_IGNORE);
}

// All ranks read or write blocks of bytes, each its own: `lengths[i]` bytes at the offset `offsets[i]` of the file, from
// left to right, and at `addresses[i]` in memory. A rank whose blocks the library rejects takes part without any.
static inline int ddpm_mpi_transfer_blocks(ddpm_file file, int writes, int count, const int lengths[],
                                           const MPI_Aint offsets[], const MPI_Aint addresses[]) {
  MPI_Datatype places = MPI_BYTE, memory = MPI_BYTE;
  int failure = MPI_SUCCESS;
  if (count > 0) {
    failure = MPI_Type_create_hindexed(count, lengths, offsets, MPI_BYTE, &places);
    if (failure == MPI_SUCCESS) failure = MPI_Type_commit(&places);
    if (failure == MPI_SUCCESS) failure = MPI_Type_create_hindexed(count, lengths, addresses, MPI_BYTE, &memory);
    if (failure == MPI_SUCCESS) failure = MPI_Type_commit(&memory);
    if (failure != MPI_SUCCESS) places = memory = MPI_BYTE;
  }
  int whole = count > 0 && failure == MPI_SUCCESS;
  int status = MPI_File_set_view(file.value, 0, MPI_BYTE, places, "native", MPI_INFO_NULL);
  if (failure == MPI_SUCCESS) failure = status;
  status = writes ? MPI_File_write_at_all(file.value, 0, MPI_BOTTOM, whole, memory, MPI_STATUS_IGNORE)
                  : MPI_File_read_at_all(file.value, 0, MPI_BOTTOM, whole, memory, MPI_STATUS_IGNORE);
  if (failure == MPI_SUCCESS) failure = status;
  // Back to the bytes of the file as they follow one another.
  status = MPI_File_set_view(file.value, 0, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL);
  if (failure == MPI_SUCCESS) failure = status;
  if (whole) {
    MPI_Type_free(&places);
    MPI_Type_free(&memory);
  }
  return failure;
}
