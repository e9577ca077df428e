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

static inline ddpm_communicator ddpm_mpi_world(void) { return (ddpm_communicator){MPI_COMM_WORLD}; }
static inline MPI_Info ddpm_mpi_no_info(void) { return MPI_INFO_NULL; }

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
