/*
 * What a cached get_token can't do without, as a Python extension: the text is looked up in a dict, the entry's
 * generation and its life by the coarse clock are checked, and the object is returned. The yardstick for azcred's
 * Python door.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <time.h>

typedef struct {
  PyObject_HEAD PyObject *token;
  uint64_t generation;
  int64_t fresh_until;
} Entry;

typedef struct {
  PyObject_HEAD PyObject *entries;
} Floor;

/* What a commit, a rejection or a fork would count up. */
static volatile uint64_t generation = 1;

static int64_t now(void) {
  struct timespec moment;
  clock_gettime(CLOCK_REALTIME_COARSE, &moment);
  return moment.tv_sec;
}

static void entry_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  Py_XDECREF(((Entry *)self)->token);
  type->tp_free(self);
}

static PyTypeObject EntryType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "floor.Entry",
    .tp_basicsize = sizeof(Entry),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = entry_dealloc,
};

static PyObject *floor_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(options)) {
  Floor *self = (Floor *)type->tp_alloc(type, 0);
  if (self != NULL && (self->entries = PyDict_New()) == NULL) {
    Py_CLEAR(self);
  }
  return (PyObject *)self;
}

static void floor_dealloc(PyObject *self) {
  Py_XDECREF(((Floor *)self)->entries);
  Py_TYPE(self)->tp_free(self);
}

static PyObject *floor_put(PyObject *self, PyObject *args) {
  PyObject *scope;
  PyObject *token;
  Entry *entry;
  int failed;
  if (!PyArg_ParseTuple(args, "UO", &scope, &token)) {
    return NULL;
  }
  entry = PyObject_New(Entry, &EntryType);
  if (entry == NULL) {
    return NULL;
  }
  Py_INCREF(token);
  entry->token = token;
  entry->generation = generation;
  entry->fresh_until = now() + 3600;
  failed = PyDict_SetItem(((Floor *)self)->entries, scope, (PyObject *)entry);
  Py_DECREF(entry);
  if (failed) {
    return NULL;
  }
  Py_RETURN_NONE;
}

/* get_token takes scopes and keywords, and so does this; it knows what to do with one scope. */
static PyObject *floor_get_token(PyObject *self, PyObject *const *args, Py_ssize_t number, PyObject *keywords) {
  Entry *entry;
  if (number != 1 || keywords != NULL) {
    PyErr_SetString(PyExc_TypeError, "one scope");
    return NULL;
  }
  entry = (Entry *)PyDict_GetItemWithError(((Floor *)self)->entries, args[0]);
  if (entry != NULL && entry->generation == generation && now() < entry->fresh_until) {
    Py_INCREF(entry->token);
    return entry->token;
  }
  if (!PyErr_Occurred()) {
    PyErr_SetObject(PyExc_KeyError, args[0]);
  }
  return NULL;
}

static PyMethodDef methods[] = {
    {"put", floor_put, METH_VARARGS, "Keep an object for a text."},
    {"get_token", (PyCFunction)(void (*)(void))floor_get_token, METH_FASTCALL | METH_KEYWORDS,
     "Give the object kept for a text."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject FloorType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "floor.Floor",
    .tp_basicsize = sizeof(Floor),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = floor_new,
    .tp_dealloc = floor_dealloc,
    .tp_methods = methods,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "floor", .m_size = -1};

PyMODINIT_FUNC PyInit_floor(void) {
  PyObject *made;
  if (PyType_Ready(&EntryType) < 0 || PyType_Ready(&FloorType) < 0 || (made = PyModule_Create(&module)) == NULL) {
    return NULL;
  }
  if (PyModule_AddObjectRef(made, "Floor", (PyObject *)&FloorType) < 0) {
    Py_CLEAR(made);
  }
  return made;
}
