// The CPU that the panels follow and that is stepped.
import { defineStore } from 'pinia'
import { ref } from 'vue'

export const useChosenCpu = defineStore('chosen-cpu', () => {
  const index = ref(0)
  return { index }
})
