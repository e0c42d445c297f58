/* The bare process. */
int main(void) { return 0; }
