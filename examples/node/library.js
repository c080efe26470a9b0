// The C side of the wrapper: the functions and structures of apivideo.h that it uses, by koffi.
// Pointers are BigInts; nothing here has a name in koffi, so that several copies get along.
import koffi from 'koffi';

// What the library is called on a platform: by the ABI that this file was written for, so that no other is
// taken for it, but on Windows.
export const libraryName = (platform) =>
  ({ darwin: 'libapivideo.0.1.dylib', win32: 'apivideo.dll' })[platform] ?? 'libapivideo.so.0.1';

// The loader looks in the system's directories, and in LD_LIBRARY_PATH or, on Windows, in PATH.
const library = koffi.load(libraryName(process.platform));

const pointer = 'void *';
const outPointer = koffi.out(koffi.pointer(pointer));

const clientConfig = koffi.struct({
  struct_size: 'size_t',
  api_key: 'str', access_token: 'str', base_url: 'str',
  app_name: 'str', app_version: 'str', sdk_name: 'str', sdk_version: 'str',
  ca_file: 'str', proxy_url: 'str',
  trace_fn: pointer, trace_userdata: pointer,
  timeout_ms: 'uint32_t', connect_timeout_ms: 'uint32_t', attempt_timeout_ms: 'uint32_t', max_attempts: 'uint32_t',
  trace_level: 'int32_t', flags: 'uint32_t',
});

const requestOptions = koffi.struct({
  struct_size: 'size_t', cancel: pointer, response: pointer, timeout_ms: 'uint32_t', max_attempts: 'uint32_t',
});

const listParameters = koffi.struct({
  struct_size: 'size_t', current_page: 'uint32_t', page_size: 'uint32_t', sort_by: 'int32_t', sort_order: 'int32_t',
});

const token = koffi.struct({
  created_at: 'int64_t', expires_at: 'int64_t', reserved: koffi.array('uint64_t', 4),
  token: 'str', reserved_pointer: pointer, ttl_seconds: 'int32_t', reserved32: 'uint32_t',
});

const page = koffi.struct({
  items_total: 'uint64_t', reserved: koffi.array('uint64_t', 4), items: pointer, count: 'size_t',
  current_page: 'uint32_t', pages_total: 'uint32_t', page_size: 'uint32_t', reserved32: 'uint32_t',
});

const uploadParams = koffi.struct({
  struct_size: 'size_t',
  token: 'str', video_id: 'str', file_name: 'str', resume: 'str',
  progress_fn: pointer, state_fn: pointer, userdata: pointer,
  part_bytes: 'uint64_t', max_bytes_per_second: 'uint64_t',
  parallel_parts: 'uint32_t', stall_timeout_ms: 'uint32_t', answer_timeout_ms: 'uint32_t', patience_ms: 'uint32_t',
  progress_interval_ms: 'uint32_t', flags: 'uint32_t',
});

const uploadProgress = koffi.struct({
  bytes_confirmed: 'uint64_t', bytes_sent: 'uint64_t', bytes_total: 'uint64_t', bytes_repeated: 'uint64_t',
  reserved: koffi.array('uint64_t', 4), parts_confirmed: 'uint32_t', parts_total: 'uint32_t',
  state: 'int32_t', wait_ms: 'uint32_t',
});

const uploadedVideo = koffi.struct({
  created_at: 'int64_t', published_at: 'int64_t', bytes: 'uint64_t', reserved: koffi.array('uint64_t', 4),
  video_id: 'str', title: 'str', player_url: 'str', iframe_html: 'str', hls_url: 'str', mp4_url: 'str',
  thumbnail_url: 'str', json: 'str', reserved_pointers: koffi.array(pointer, 2),
  is_public: 'int32_t', videos_abandoned: 'uint32_t',
});

const inConfig = koffi.pointer(clientConfig);
const inOptions = koffi.pointer(requestOptions);
const inParameters = koffi.pointer(listParameters);
const inUploadParams = koffi.pointer(uploadParams);

// Input structures with their size filled in, and with zero, the default, for what is left out.
const withSize = (type) => (members) => ({
  ...Object.fromEntries(Object.entries(type.members).map(([name, member]) =>
    [name, ['Pointer', 'String'].includes(member.type.primitive) ? null : 0])),
  ...members,
  struct_size: koffi.sizeof(type),
});
export const makeClientConfig = withSize(clientConfig);
export const makeRequestOptions = withSize(requestOptions);
export const makeListParameters = withSize(listParameters);
export const makeUploadParameters = withSize(uploadParams);

// Copies of what a pointer points to.
export const readToken = (address) => koffi.decode(address, token);
export const readPage = (address) => {
  const { items, count, ...numbers } = koffi.decode(address, page);
  const addresses = count ? koffi.decode(items, pointer, Number(count)) : [];
  return { ...numbers, tokens: addresses.map(readToken) };
};

export const readVideo = (address) => koffi.decode(address, uploadedVideo);

// Functions that the library calls, on the thread that is inside a call; until they are dropped.
const progressFunction = koffi.pointer(koffi.proto('void', [pointer, pointer]));
const stateFunction = koffi.pointer(koffi.proto('void', [pointer, 'str']));
export const makeProgressFunction = (tell) =>
  koffi.register((_, address) => tell(koffi.decode(address, uploadProgress)), progressFunction);
export const makeStateFunction = (tell) => koffi.register((_, state) => tell(state), stateFunction);
export const dropFunction = koffi.unregister;

export const AV_CLIENT_NO_CREDENTIAL = 2;

export const av_library_version = library.func('av_library_version', 'str', []);
export const av_status_name = library.func('av_status_name', 'str', ['int32_t']);

export const av_client_new = library.func('av_client_new', 'int32_t', [inConfig, outPointer, outPointer]);
export const av_client_free = library.func('av_client_free', 'void', [pointer]);

export const av_tokens_create = library.func('av_tokens_create', 'int32_t', [pointer, 'uint32_t', inOptions, outPointer, outPointer]);
export const av_tokens_get = library.func('av_tokens_get', 'int32_t', [pointer, 'str', inOptions, outPointer, outPointer]);
export const av_tokens_list = library.func('av_tokens_list', 'int32_t', [pointer, inParameters, inOptions, outPointer, outPointer]);
export const av_tokens_delete = library.func('av_tokens_delete', 'int32_t', [pointer, 'str', inOptions, outPointer]);
export const av_tokens_iterate = library.func('av_tokens_iterate', 'int32_t', [pointer, inParameters, outPointer, outPointer]);
export const av_token_iter_next = library.func('av_token_iter_next', 'int32_t', [pointer, inOptions, outPointer, outPointer]);
export const av_token_free = library.func('av_token_free', 'void', [pointer]);
export const av_token_page_free = library.func('av_token_page_free', 'void', [pointer]);
export const av_token_iter_free = library.func('av_token_iter_free', 'void', [pointer]);

export const av_upload_file = library.func('av_upload_file', 'int32_t', [pointer, 'str', inUploadParams, inOptions, outPointer, outPointer]);
export const av_uploaded_video_free = library.func('av_uploaded_video_free', 'void', [pointer]);
export const av_upload_begin = library.func('av_upload_begin', 'int32_t', [pointer, inUploadParams, outPointer, outPointer]);
export const av_upload_write = library.func('av_upload_write', 'int32_t', [pointer, pointer, 'size_t', inOptions, outPointer]);
export const av_upload_finish = library.func('av_upload_finish', 'int32_t', [pointer, inOptions, outPointer, outPointer]);
export const av_upload_offset = library.func('av_upload_offset', 'uint64_t', [pointer]);
export const av_upload_free = library.func('av_upload_free', 'void', [pointer]);

export const av_cancel_new = library.func('av_cancel_new', pointer, []);
export const av_cancel_trigger = library.func('av_cancel_trigger', 'void', [pointer]);
export const av_cancel_free = library.func('av_cancel_free', 'void', [pointer]);

export const av_error_message = library.func('av_error_message', 'str', [pointer]);
export const av_error_outcome = library.func('av_error_outcome', 'int32_t', [pointer]);
export const av_error_is_retryable = library.func('av_error_is_retryable', 'int32_t', [pointer]);
export const av_error_http_status = library.func('av_error_http_status', 'int32_t', [pointer]);
export const av_error_attempts = library.func('av_error_attempts', 'uint32_t', [pointer]);
export const av_error_retry_after_ms = library.func('av_error_retry_after_ms', 'int64_t', [pointer]);
export const av_error_problem_count = library.func('av_error_problem_count', 'size_t', [pointer]);
export const av_error_problem_type = library.func('av_error_problem_type', 'str', [pointer]);
export const av_error_problem_title = library.func('av_error_problem_title', 'str', [pointer]);
export const av_error_problem_detail = library.func('av_error_problem_detail', 'str', [pointer]);
export const av_error_problem_name = library.func('av_error_problem_name', 'str', [pointer]);
export const av_error_problem_type_at = library.func('av_error_problem_type_at', 'str', [pointer, 'size_t']);
export const av_error_problem_title_at = library.func('av_error_problem_title_at', 'str', [pointer, 'size_t']);
export const av_error_problem_detail_at = library.func('av_error_problem_detail_at', 'str', [pointer, 'size_t']);
export const av_error_problem_name_at = library.func('av_error_problem_name_at', 'str', [pointer, 'size_t']);
export const av_error_upload_state = library.func('av_error_upload_state', 'str', [pointer]);
export const av_error_upload_video_id = library.func('av_error_upload_video_id', 'str', [pointer]);
export const av_error_free = library.func('av_error_free', 'void', [pointer]);
