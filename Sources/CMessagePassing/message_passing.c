#define _GNU_SOURCE
#include "message_passing.h"

#include <dlfcn.h>
#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>

// The library's handles are pointers or integers.
#define VALUE(handle) ((intptr_t)(handle))
static MPI_Comm communicator_of(ddpm_communicator communicator) { return (MPI_Comm)communicator.value; }
static MPI_Datatype type_of(ddpm_datatype type) { return (MPI_Datatype)type.value; }
static MPI_Op operation_of(ddpm_operation operation) { return (MPI_Op)operation.value; }
static MPI_File file_of(ddpm_file file) { return (MPI_File)file.value; }

_Static_assert(MPI_SUCCESS == 0, "MPI 3.1, section 8.4");
_Static_assert(sizeof(MPI_Comm) <= sizeof(intptr_t) && sizeof(MPI_Datatype) <= sizeof(intptr_t) &&
                   sizeof(MPI_Op) <= sizeof(intptr_t) && sizeof(MPI_Request) <= sizeof(intptr_t) &&
                   sizeof(MPI_File) <= sizeof(intptr_t),
               "a handle has at most the size of a pointer");
_Static_assert(sizeof(MPI_Aint) == sizeof(intptr_t), "arrays of addresses are passed on as they are");
_Static_assert(MPI_MAX_LIBRARY_VERSION_STRING < DDPM_MPI_TEXT_LENGTH && MPI_MAX_ERROR_STRING < DDPM_MPI_TEXT_LENGTH &&
                   MPI_MAX_PROCESSOR_NAME < DDPM_MPI_TEXT_LENGTH,
               "texts have room");

// The library

int ddpm_mpi_library_version(char text[DDPM_MPI_TEXT_LENGTH]) {
  int length = 0;
  text[0] = 0;
  return MPI_Get_library_version(text, &length);
}

const char *ddpm_mpi_library_file(void) {
  Dl_info information;
  void *function = dlsym(RTLD_DEFAULT, "MPI_Get_library_version");
  return function != NULL && dladdr(function, &information) != 0 ? information.dli_fname : NULL;
}

int ddpm_mpi_error_text(int code, char text[DDPM_MPI_TEXT_LENGTH]) {
  int length = 0;
  text[0] = 0;
  return MPI_Error_string(code, text, &length);
}

int ddpm_mpi_processor_name(char text[DDPM_MPI_TEXT_LENGTH]) {
  int length = 0;
  text[0] = 0;
  return MPI_Get_processor_name(text, &length);
}

int ddpm_mpi_count_error(void) { return MPI_ERR_COUNT; }
int ddpm_mpi_other_error(void) { return MPI_ERR_OTHER; }

// The session

int ddpm_mpi_initialise(ddpm_threads *granted) {
  int level = MPI_THREAD_SINGLE;
  int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level);
  // Levels are in this order (MPI 3.1, section 12.4.3).
  *granted = level >= MPI_THREAD_MULTIPLE     ? ddpm_several_threads
             : level >= MPI_THREAD_SERIALIZED ? ddpm_one_thread_at_a_time
                                              : ddpm_single_thread;
  return status;
}

int ddpm_mpi_finalise(void) { return MPI_Finalize(); }

int ddpm_mpi_abort(ddpm_communicator communicator, int status) {
  return MPI_Abort(communicator_of(communicator), status);
}

// Communicators

ddpm_communicator ddpm_mpi_world(void) { return (ddpm_communicator){VALUE(MPI_COMM_WORLD)}; }

int ddpm_mpi_return_errors(ddpm_communicator communicator) {
  return MPI_Comm_set_errhandler(communicator_of(communicator), MPI_ERRORS_RETURN);
}

int ddpm_mpi_rank(ddpm_communicator communicator, int *rank) {
  return MPI_Comm_rank(communicator_of(communicator), rank);
}

int ddpm_mpi_size(ddpm_communicator communicator, int *size) {
  return MPI_Comm_size(communicator_of(communicator), size);
}

int ddpm_mpi_split(ddpm_communicator communicator, int color, int key, ddpm_communicator *part) {
  MPI_Comm handle = MPI_COMM_NULL;
  int status = MPI_Comm_split(communicator_of(communicator), color < 0 ? MPI_UNDEFINED : color, key, &handle);
  part->value = VALUE(handle);
  return status;
}

int ddpm_mpi_free(ddpm_communicator *communicator) {
  MPI_Comm handle = communicator_of(*communicator);
  int status = MPI_Comm_free(&handle);
  communicator->value = VALUE(handle);
  return status;
}

// Collective operations

ddpm_datatype ddpm_mpi_byte(void) { return (ddpm_datatype){VALUE(MPI_BYTE)}; }
ddpm_datatype ddpm_mpi_uint16(void) { return (ddpm_datatype){VALUE(MPI_UINT16_T)}; }
ddpm_datatype ddpm_mpi_int64(void) { return (ddpm_datatype){VALUE(MPI_INT64_T)}; }
ddpm_datatype ddpm_mpi_float(void) { return (ddpm_datatype){VALUE(MPI_FLOAT)}; }
ddpm_datatype ddpm_mpi_double(void) { return (ddpm_datatype){VALUE(MPI_DOUBLE)}; }

ddpm_operation ddpm_mpi_sum(void) { return (ddpm_operation){VALUE(MPI_SUM)}; }
ddpm_operation ddpm_mpi_minimum(void) { return (ddpm_operation){VALUE(MPI_MIN)}; }
ddpm_operation ddpm_mpi_maximum(void) { return (ddpm_operation){VALUE(MPI_MAX)}; }

int ddpm_mpi_barrier(ddpm_communicator communicator) { return MPI_Barrier(communicator_of(communicator)); }

int ddpm_mpi_start_barrier(ddpm_communicator communicator, ddpm_request *request) {
  MPI_Request handle = MPI_REQUEST_NULL;
  int status = MPI_Ibarrier(communicator_of(communicator), &handle);
  request->value = VALUE(handle);
  return status;
}

int ddpm_mpi_test(ddpm_request *request, int *done) {
  MPI_Request handle = (MPI_Request)request->value;
  int status = MPI_Test(&handle, done, MPI_STATUS_IGNORE);
  request->value = VALUE(handle);
  return status;
}

int ddpm_mpi_broadcast(void *buffer, int count, ddpm_datatype type, int root, ddpm_communicator communicator) {
  return MPI_Bcast(buffer, count, type_of(type), root, communicator_of(communicator));
}

int ddpm_mpi_all_gather(const void *value, void *values, int count, ddpm_datatype type,
                        ddpm_communicator communicator) {
  return MPI_Allgather(value, count, type_of(type), values, count, type_of(type), communicator_of(communicator));
}

int ddpm_mpi_all_gather_parts_in_place(void *whole, const int counts[], const int displacements[], ddpm_datatype type,
                                       ddpm_communicator communicator) {
  return MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, whole, counts, displacements, type_of(type),
                        communicator_of(communicator));
}

int ddpm_mpi_gather_parts(const void *part, int count, void *whole, const int counts[], const int displacements[],
                          ddpm_datatype type, int root, ddpm_communicator communicator) {
  return MPI_Gatherv(part, count, type_of(type), whole, counts, displacements, type_of(type), root,
                     communicator_of(communicator));
}

int ddpm_mpi_all_reduce_in_place(void *buffer, int count, ddpm_datatype type, ddpm_operation operation,
                                 ddpm_communicator communicator) {
  return MPI_Allreduce(MPI_IN_PLACE, buffer, count, type_of(type), operation_of(operation),
                       communicator_of(communicator));
}

// Messages between pairs of ranks

struct ddpm_messages {
  int count, capacity;
  MPI_Request *requests;
  MPI_Status *statuses;
};

// Makes room for `capacity` messages in all.
static int reserve(ddpm_messages *messages, int capacity) {
  if (capacity <= messages->capacity) return MPI_SUCCESS;
  MPI_Request *requests = realloc(messages->requests, (size_t)capacity * sizeof(MPI_Request));
  if (requests == NULL) return MPI_ERR_NO_MEM;
  messages->requests = requests;
  MPI_Status *statuses = realloc(messages->statuses, (size_t)capacity * sizeof(MPI_Status));
  if (statuses == NULL) return MPI_ERR_NO_MEM;
  messages->statuses = statuses;
  messages->capacity = capacity;
  return MPI_SUCCESS;
}

// The place of the next request; NULL if there is no memory for it.
static MPI_Request *next_request(ddpm_messages *messages) {
  if (messages->count == messages->capacity && reserve(messages, 2 * messages->capacity + 8) != MPI_SUCCESS) return NULL;
  return &messages->requests[messages->count];
}

ddpm_messages *ddpm_mpi_make_messages(int capacity) {
  ddpm_messages *messages = calloc(1, sizeof(ddpm_messages));
  if (messages != NULL && reserve(messages, capacity) != MPI_SUCCESS) {
    ddpm_mpi_free_messages(messages);
    return NULL;
  }
  return messages;
}

void ddpm_mpi_free_messages(ddpm_messages *messages) {
  free(messages->requests);
  free(messages->statuses);
  free(messages);
}

int ddpm_mpi_start_send(ddpm_messages *messages, const void *buffer, int count, ddpm_datatype type, int destination,
                        int tag, ddpm_communicator communicator) {
  MPI_Request *request = next_request(messages);
  if (request == NULL) return MPI_ERR_NO_MEM;
  int status =
      MPI_Isend(buffer, count, type_of(type), destination, tag, communicator_of(communicator), request);
  if (status == MPI_SUCCESS) messages->count += 1;
  return status;
}

int ddpm_mpi_start_receive(ddpm_messages *messages, void *buffer, int count, ddpm_datatype type, int source, int tag,
                           ddpm_communicator communicator) {
  MPI_Request *request = next_request(messages);
  if (request == NULL) return MPI_ERR_NO_MEM;
  int status = MPI_Irecv(buffer, count, type_of(type), source, tag, communicator_of(communicator), request);
  if (status == MPI_SUCCESS) messages->count += 1;
  return status;
}

int ddpm_mpi_test_all(ddpm_messages *messages, int *done) {
  int status = MPI_Testall(messages->count, messages->requests, done, messages->statuses);
  if (status == MPI_ERR_IN_STATUS) {
    // This code does not identify an error; that of the first failed message does.
    for (int i = 0; i < messages->count; i++) {
      int error = messages->statuses[i].MPI_ERROR;
      if (error != MPI_SUCCESS && error != MPI_ERR_PENDING) return error;
    }
  }
  if (status == MPI_SUCCESS && *done) messages->count = 0;
  return status;
}

void ddpm_mpi_cancel_all(ddpm_messages *messages) {
  for (int i = 0; i < messages->count; i++) {
    if (messages->requests[i] == MPI_REQUEST_NULL) continue;
    if (MPI_Cancel(&messages->requests[i]) == MPI_SUCCESS) MPI_Wait(&messages->requests[i], MPI_STATUS_IGNORE);
  }
  messages->count = 0;
}

// Files

int ddpm_mpi_open_file(ddpm_communicator communicator, const char *path, int writes, ddpm_file *file) {
  MPI_File handle = MPI_FILE_NULL;
  // ROMIO would write a rank's blocks together with what lies between them, under a lock, and it ends the job where the
  // file system has no locks. Other implementations ignore the hint; without it the file is opened all the same, since
  // all ranks open it together.
  MPI_Info hints = MPI_INFO_NULL;
  if (MPI_Info_create(&hints) == MPI_SUCCESS) MPI_Info_set(hints, "romio_ds_write", "disable");
  int status = MPI_File_open(communicator_of(communicator), path, writes ? MPI_MODE_RDWR : MPI_MODE_RDONLY, hints,
                             &handle);
  if (hints != MPI_INFO_NULL) MPI_Info_free(&hints);
  file->value = VALUE(handle);
  return status;
}

int ddpm_mpi_close_file(ddpm_file *file) {
  MPI_File handle = file_of(*file);
  int status = MPI_File_close(&handle);
  file->value = VALUE(handle);
  return status;
}

int ddpm_mpi_write_at(ddpm_file file, int64_t offset, const void *bytes, int count) {
  return MPI_File_write_at(file_of(file), offset, bytes, count, MPI_BYTE, MPI_STATUS_IGNORE);
}

intptr_t ddpm_mpi_address(const void *place) {
  MPI_Aint address = 0;
  MPI_Get_address(place, &address);
  return address;
}

int ddpm_mpi_transfer_blocks(ddpm_file file, int writes, int count, const int lengths[], const intptr_t offsets[],
                             const intptr_t addresses[]) {
  MPI_File handle = file_of(file);
  MPI_Datatype places = MPI_BYTE, memory = MPI_BYTE;
  int failure = MPI_SUCCESS;
  if (count > 0) {
    failure = MPI_Type_create_hindexed(count, lengths, (const MPI_Aint *)offsets, MPI_BYTE, &places);
    if (failure == MPI_SUCCESS) failure = MPI_Type_commit(&places);
    if (failure == MPI_SUCCESS)
      failure = MPI_Type_create_hindexed(count, lengths, (const MPI_Aint *)addresses, MPI_BYTE, &memory);
    if (failure == MPI_SUCCESS) failure = MPI_Type_commit(&memory);
    if (failure != MPI_SUCCESS) places = memory = MPI_BYTE;
  }
  int whole = count > 0 && failure == MPI_SUCCESS;
  int status = MPI_File_set_view(handle, 0, MPI_BYTE, places, "native", MPI_INFO_NULL);
  if (failure == MPI_SUCCESS) failure = status;
  status = writes ? MPI_File_write_at_all(handle, 0, MPI_BOTTOM, whole, memory, MPI_STATUS_IGNORE)
                  : MPI_File_read_at_all(handle, 0, MPI_BOTTOM, whole, memory, MPI_STATUS_IGNORE);
  if (failure == MPI_SUCCESS) failure = status;
  // Back to the bytes of the file as they follow one another.
  status = MPI_File_set_view(handle, 0, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL);
  if (failure == MPI_SUCCESS) failure = status;
  if (whole) {
    MPI_Type_free(&places);
    MPI_Type_free(&memory);
  }
  return failure;
}
