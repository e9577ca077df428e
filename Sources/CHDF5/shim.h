#pragma once
#include <hdf5.h>
// Dimension scales, of the library hdf5_hl.
#include <H5DSpublic.h>

// Most of HDF5's constants are macros that call into the library, such as (H5open(), H5T_NATIVE_FLOAT_g), or casts.
// Swift can import neither, so each constant that is used gets a function.

static inline hid_t ddpm_hdf5_default_properties(void) { return H5P_DEFAULT; }
static inline hid_t ddpm_hdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t ddpm_hdf5_link_creation(void) { return H5P_LINK_CREATE; }
static inline hid_t ddpm_hdf5_dataset_creation(void) { return H5P_DATASET_CREATE; }

static inline unsigned ddpm_hdf5_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned ddpm_hdf5_exclusive(void) { return H5F_ACC_EXCL; }
static inline unsigned ddpm_hdf5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned ddpm_hdf5_read_write(void) { return H5F_ACC_RDWR; }

static inline hid_t ddpm_hdf5_all(void) { return H5S_ALL; }
static inline hid_t ddpm_hdf5_default_errors(void) { return H5E_DEFAULT; }

// The library does not lock files that are opened with this property list. Older libraries lack the function; what they
// do follows from the environment variable HDF5_USE_FILE_LOCKING.
static inline herr_t ddpm_hdf5_disable_locking(hid_t file_access) {
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
  return H5Pset_file_locking(file_access, 0, 1);
#else
  (void)file_access;
  return 0;
#endif
}

// Names that stand for other ones since HDF5 1.12.
static inline H5R_type_t ddpm_hdf5_kind_object(void) { return H5R_OBJECT; }

static inline herr_t ddpm_hdf5_link_type(hid_t location, const char *path, H5L_type_t *type) {
  H5L_info_t link;
  herr_t status = H5Lget_info(location, path, &link, H5P_DEFAULT);
  if (status >= 0) *type = link.type;
  return status;
}

// Types in memory.
static inline hid_t ddpm_hdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t ddpm_hdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t ddpm_hdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t ddpm_hdf5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t ddpm_hdf5_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t ddpm_hdf5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t ddpm_hdf5_native_uint64(void) { return H5T_NATIVE_UINT64; }

static inline hid_t ddpm_hdf5_object_reference(void) { return H5T_STD_REF_OBJ; }

// Types in files.
static inline hid_t ddpm_hdf5_file_float(void) { return H5T_IEEE_F32LE; }
static inline hid_t ddpm_hdf5_file_double(void) { return H5T_IEEE_F64LE; }
static inline hid_t ddpm_hdf5_file_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t ddpm_hdf5_file_int32(void) { return H5T_STD_I32LE; }
static inline hid_t ddpm_hdf5_file_uint32(void) { return H5T_STD_U32LE; }
static inline hid_t ddpm_hdf5_file_int64(void) { return H5T_STD_I64LE; }
static inline hid_t ddpm_hdf5_c_string(void) { return H5T_C_S1; }
static inline size_t ddpm_hdf5_variable_length(void) { return H5T_VARIABLE; }
